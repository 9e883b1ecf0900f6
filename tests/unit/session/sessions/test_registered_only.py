"""Libraries whose sessions admit registered people only."""

from typing import Any

import jwt
import pytest

from services.session.catalog.libraries.schemas import UpdateLibraryRequest
from services.session.identity.accounts.domain import User
from services.session.participants.presenter import ParticipantQuery
from shared.access.identity import Caller
from shared.contracts.states import RequestKind, Role, UserRole
from shared.errors import Forbidden, NotFound
from shared.http.schema import Page
from shared.ids import new_id
from shared.livekit.tokens import GUEST_ATTRIBUTE
from tests.unit.session.actors import Host, grant_role
from tests.unit.session.backend import Backend
from tests.unit.session.builders import user
from tests.unit.session.stage.fixtures import stage


async def person(backend: Backend, **given: object) -> Caller:
    """A viewer who is in the books."""
    made: User = user(role=UserRole.VIEWER, organization_id=None, **given)
    await backend.users.add(made, made.registered())
    return made.caller(new_id())


async def restrict(backend: Backend, host: Host, *, registered_only: bool = True) -> None:
    body = UpdateLibraryRequest(registered_only=registered_only)
    await backend.library_service.update(host.library.id, body)
    await backend.settle()


async def test_guests_are_refused_and_registered_people_join(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    guest, known = await person(backend), await person(backend, email="anna@example.com")
    customer = await person(backend, external_user_id="c-1")
    token = (await backend.tokens.join(session.id, guest, None)).livekit_token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["attributes"][GUEST_ATTRIBUTE] == "true"
    await restrict(backend, host)
    for registered in (known, customer, host.caller):
        assert (await backend.tokens.join(session.id, registered, None)).livekit_token
    with pytest.raises(Forbidden) as refusal:
        await backend.tokens.join(session.id, guest, None)
    assert refusal.value.code == "registration_required"
    await restrict(backend, host, registered_only=False)
    assert (await backend.tokens.join(session.id, guest, None)).livekit_token


async def test_no_other_door_is_open_to_guests(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest, other, moderator = await person(backend), await person(backend), await person(backend)
    waiting = await at.raise_hand(guest)
    await grant_role(backend, host, await at.session(), moderator, Role.MODERATOR)
    co_host, next_one = await person(backend), await host.session()
    await grant_role(backend, host, next_one, co_host, Role.CO_HOST)
    await restrict(backend, host)
    await at.approve(waiting)
    for attempt in (
        backend.live.start(next_one.id, co_host, None),
        backend.live.go_live(next_one.id, co_host, None),
        backend.stage.token(at.id, guest),
        backend.tokens.monitor(at.id, moderator, None),
        backend.stage.show(at.id, guest),
        backend.stage.leave(at.id, guest),
        backend.participants.list(at.id, other, ParticipantQuery()),
        backend.moderation.list(at.id, moderator, Page()),
        backend.moderation.status(at.id, other),
        at.raise_hand(other),
        at.ask(other, RequestKind.JOIN),
    ):
        with pytest.raises(Forbidden) as refusal:
            await attempt
        assert refusal.value.code == "registration_required"
    for brought in (at.add(other), grant_role(backend, host, await at.session(), other, Role.CO_HOST)):
        with pytest.raises(NotFound):
            await brought


async def test_what_is_made_later_is_for_registered_people_too(backend: Backend, host: Host) -> None:
    old_room = await host.room()
    await restrict(backend, host)
    guest = await person(backend)
    for room in (old_room, await host.room()):
        session = await host.live_session(room=room)
        with pytest.raises(Forbidden):
            await backend.tokens.join(session.id, guest, None)


async def test_other_services_learn_of_it(backend: Backend, host: Host) -> None:
    planned, live = await host.session(), await host.live_session()
    over = await host.live_session()
    await host.end(over)
    await restrict(backend, host)
    changed = {one.id: (await backend.sessions.get(one.id)) for one in (planned, live, over)}
    assert all(one.registered_only and one.state().registered_only for one in changed.values())
    assert backend.published().count("session.updated.v1") == 2
    await restrict(backend, host)
    assert backend.published().count("session.updated.v1") == 2


async def test_changing_something_else_keeps_it(backend: Backend, host: Host) -> None:
    await restrict(backend, host)
    library = await backend.library_service.update(host.library.id, UpdateLibraryRequest(name="Shows"))
    assert (library.name, library.registered_only, library.listed) == ("Shows", True, True)


async def test_a_library_that_closes_while_a_session_is_created_closes_it_too(
    backend: Backend, host: Host
) -> None:
    room = await host.room()
    backend.ingest.meanwhile = lambda: restrict(backend, host)
    session = await host.session(room, mode="rtmp")
    assert session.registered_only
    backend.ingest.meanwhile = lambda: restrict(backend, host, registered_only=False)
    assert not (await host.session(room, mode="rtmp")).registered_only
    await backend.settle()
    assert backend.published().count("session.updated.v1") == 3


async def test_a_library_that_closes_while_a_room_is_created_closes_it_too(
    backend: Backend, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = backend.rooms.add

    async def closed_before(*room: Any) -> None:
        monkeypatch.setattr(backend.rooms, "add", add)
        await restrict(backend, host)
        await add(*room)

    monkeypatch.setattr(backend.rooms, "add", closed_before)
    assert (await host.session(await host.room())).registered_only
