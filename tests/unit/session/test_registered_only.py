"""Libraries whose sessions admit registered people only."""

import pytest

from services.session.catalog.libraries.schemas import UpdateLibraryRequest
from services.session.identity.accounts.domain import User
from shared.access.identity import Caller
from shared.contracts.states import RequestKind, Role, UserRole
from shared.errors import Forbidden, NotFound
from shared.ids import new_id
from tests.unit.session.hosting import Host, appoint
from tests.unit.session.house import House
from tests.unit.session.make import user
from tests.unit.session.staging import stage


async def person(house: House, **given: object) -> Caller:
    """A viewer who is in the books."""
    made: User = user(role=UserRole.VIEWER, organization_id=None, **given)
    await house.users.add(made, made.registered())
    return made.caller(new_id())


async def restrict(house: House, host: Host, *, registered_only: bool = True) -> None:
    body = UpdateLibraryRequest(registered_only=registered_only)
    await house.library_service.update(host.library.id, body)
    await house.settle()


async def test_guests_are_refused_and_registered_people_join(house: House, host: Host) -> None:
    session = await host.live_session()
    guest, known = await person(house), await person(house, email="anna@example.com")
    customer = await person(house, external_user_id="c-1")
    await restrict(house, host)
    for registered in (known, customer, host.caller):
        assert (await house.admission.join(session.id, registered, None)).livekit_token
    with pytest.raises(Forbidden) as refusal:
        await house.admission.join(session.id, guest, None)
    assert refusal.value.code == "registration_required"
    await restrict(house, host, registered_only=False)
    assert (await house.admission.join(session.id, guest, None)).livekit_token


async def test_no_other_door_is_open_to_guests(house: House, host: Host) -> None:
    at = await stage(host)
    guest, other, moderator = await person(house), await person(house), await person(house)
    waiting = await at.raise_hand(guest)
    await appoint(house, host, await at.session(), moderator, Role.MODERATOR)
    co_host, next_one = await person(house), await host.session()
    await appoint(house, host, next_one, co_host, Role.CO_HOST)
    await restrict(house, host)
    await at.approve(waiting)
    for attempt in (
        house.live.start(next_one.id, co_host, None),
        house.live.go_live(next_one.id, co_host, None),
        house.stage.token(at.id, guest),
        house.admission.monitor(at.id, moderator, None),
        at.raise_hand(other),
        at.ask(other, RequestKind.JOIN),
    ):
        with pytest.raises(Forbidden) as refusal:
            await attempt
        assert refusal.value.code == "registration_required"
    for brought in (at.add(other), appoint(house, host, await at.session(), other, Role.CO_HOST)):
        with pytest.raises(NotFound):
            await brought


async def test_what_is_made_later_is_for_registered_people_too(house: House, host: Host) -> None:
    old_room = await host.room()
    await restrict(house, host)
    guest = await person(house)
    for room in (old_room, await host.room()):
        session = await host.live_session(room=room)
        with pytest.raises(Forbidden):
            await house.admission.join(session.id, guest, None)


async def test_changing_something_else_keeps_it(house: House, host: Host) -> None:
    await restrict(house, host)
    library = await house.library_service.update(host.library.id, UpdateLibraryRequest(name="Shows"))
    assert (library.name, library.registered_only, library.listed) == ("Shows", True, True)
