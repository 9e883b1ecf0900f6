"""Letting people in: as whom their token lets them into the room, and who is not let in."""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import jwt
import pytest

from services.session.sessions.domain.session import Session
from services.session.tokens.schemas import IssueTokensRequest
from shared.contracts.event import Event
from shared.contracts.states import Role, RoomOptions
from shared.errors import Forbidden
from shared.ids import new_id
from shared.livekit.join_terms import LEEWAY, JoinTerms
from tests.unit.session.actors import Host, ban, colleague, grant_role, refused, registered, viewer
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0, caller


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def test_a_key_is_in_the_room_as_the_host_it_acts_for(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    key = dataclasses.replace(caller(new_id(), host.library.organization_id), api_key_id=new_id())
    for token in (
        (await host.start(session, key)).livekit_token,
        (await backend.tokens.join(session.id, key, None)).livekit_token,
        (await backend.tokens.monitor(session.id, key, None)).livekit_token,
    ):
        assert claims(token)["sub"].partition(":")[0] == session.host_id
        assert claims(token)["attributes"]["greenroom.role"] == "host"


async def test_a_key_of_another_organization_is_in_the_room_as_its_owner(
    backend: Backend, host: Host
) -> None:
    session = await host.live_session()
    key = dataclasses.replace(caller(new_id(), new_id()), api_key_id=new_id())
    token = claims((await backend.tokens.join(session.id, key, None)).livekit_token)
    assert token["sub"].partition(":")[0] == key.user_id
    assert (token["attributes"]["greenroom.role"], token["video"]["canPublish"]) == ("audience", False)


async def test_each_monitor_is_a_connection_of_the_sign_in_that_asked_for_it(
    backend: Backend, host: Host
) -> None:
    session = await host.live_session()
    asked = [await backend.tokens.monitor(session.id, host.caller, None) for _ in range(2)]
    first, second = [claims(one.livekit_token)["sub"] for one in asked]
    assert len({first, second, host.caller.identity}) == 3
    for identity in (first, second):
        assert identity.startswith(f"{host.caller.identity}:")


async def test_a_co_host_who_starts_gets_a_co_hosts_token(backend: Backend, host: Host) -> None:
    session = await host.session()
    carl = await colleague(backend, host)
    await grant_role(backend, host, session, carl, Role.CO_HOST)
    token = claims((await host.start(session, carl)).livekit_token)
    assert token["sub"] == carl.identity
    assert (token["attributes"]["greenroom.role"], token["video"]["canPublish"]) == ("co_host", True)


async def test_who_is_banned_is_not_let_in(backend: Backend, host: Host) -> None:
    session, banned = await host.live_session(), await registered(backend)
    await ban(backend, host, session, banned)
    with pytest.raises(Forbidden) as refusal:
        await backend.tokens.join(session.id, banned, None)
    assert refusal.value.code == "banned"
    await backend.tokens.join(session.id, viewer(), None)


async def test_a_ban_follows_the_device(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    _, token = await backend.sign_in.register_viewer(new_id(), "Vera")
    first, second = [await registered(backend, known_by=token) for _ in range(2)]
    await ban(backend, host, session, first)
    with pytest.raises(Forbidden):
        await backend.tokens.join(session.id, second, None)
    # Who shows nothing from before is somebody new, as far as anybody can tell.
    await backend.tokens.join(session.id, await registered(backend, known_by="nonsense"), None)


async def test_whom_a_customer_bans_gets_no_token_from_its_backend(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    key = dataclasses.replace(host.caller, api_key_id=new_id())
    body = IssueTokensRequest(external_user_id="c-1", name="Carla")
    carla = await backend.tokens.issue(session.id, key, body)
    await ban(backend, host, session, caller(carla.user.id))
    with pytest.raises(Forbidden) as refusal:
        await backend.tokens.issue(session.id, key, body)
    assert refusal.value.code == "banned"


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ({"join_from": T0 + timedelta(seconds=1)}, "join_not_open_yet"),
        ({"join_until": T0}, "join_closed"),
        ({"remove_at": T0}, "join_closed"),
    ],
)
async def test_outside_the_room_s_window_the_host_alone_joins(
    backend: Backend, host: Host, window: dict[str, Any], code: str
) -> None:
    session = await host.live_session()
    await limited(backend, session, **window)
    carl = await colleague(backend, host)
    await grant_role(backend, host, session, carl, Role.CO_HOST)
    for who in (viewer(), carl):
        await refused(code, Forbidden, backend.tokens.join(session.id, who, None))
    await refused(code, Forbidden, backend.stage.token(session.id, carl))
    await refused(code, Forbidden, backend.tokens.monitor(session.id, carl, None))
    key = dataclasses.replace(host.caller, api_key_id=new_id())
    for who in (host.caller, key):
        await backend.tokens.join(session.id, who, None)


async def test_a_native_token_carries_what_the_room_limits(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    closes = T0 + timedelta(minutes=5)
    await limited(backend, session, join_until=closes, remove_after_seconds_elapsed=60)
    token = claims((await backend.tokens.join(session.id, viewer(), None)).livekit_token)
    assert token["exp"] == (closes - LEEWAY).timestamp()
    assert JoinTerms.of(token["attributes"]) == JoinTerms(remove_after=60)


async def limited(backend: Backend, session: Session, **options: Any) -> None:
    """The session's room has these options."""

    def decide(found: Session) -> Sequence[Event]:
        found.options = RoomOptions(**options)
        return []

    await backend.sessions.change(session.id, decide)
