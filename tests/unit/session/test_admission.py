"""Letting people in: as whom their token lets them into the room, and who is not let in."""

import dataclasses
from typing import Any

import jwt
import pytest

from services.session.sessions.domain import Session
from services.session.sessions.people import Ban
from shared.contracts.states import Role
from shared.errors import Forbidden
from shared.identity import Caller
from shared.ids import new_id
from tests.unit.session.hosting import Host, viewer
from tests.unit.session.house import House
from tests.unit.session.make import caller


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def ban(house: House, session: Session, user_id: str) -> None:
    ban = Ban(banned_by=session.host_id, reason=None, banned_at=house.clock.now())

    def decide(session: Session) -> list[Any]:
        session.bans = {**session.bans, user_id: ban}
        return []

    await house.sessions.change(session.id, decide)


async def test_a_key_is_in_the_room_as_the_host_it_acts_for(house: House, host: Host) -> None:
    session = await host.live_session()
    key = dataclasses.replace(caller(new_id(), host.library.organization_id), api_key_id=new_id())
    for token in (
        (await house.live.start(session.id, key, None)).livekit_token,
        (await house.admission.join(session.id, key, None)).livekit_token,
        (await house.admission.monitor(session.id, key, None)).livekit_token,
    ):
        assert claims(token)["sub"].partition(":")[0] == session.host_id
        assert claims(token)["attributes"]["greenroom.role"] == "host"


async def test_a_key_of_another_organization_is_in_the_room_as_its_owner(house: House, host: Host) -> None:
    session = await host.live_session()
    key = dataclasses.replace(caller(new_id(), new_id()), api_key_id=new_id())
    token = claims((await house.admission.join(session.id, key, None)).livekit_token)
    assert token["sub"].partition(":")[0] == key.user_id
    assert (token["attributes"]["greenroom.role"], token["video"]["canPublish"]) == ("audience", False)


async def test_a_co_host_who_starts_gets_a_co_hosts_token(house: House, host: Host) -> None:
    session = await host.session()
    colleague: Caller = caller(new_id(), host.library.organization_id)
    await house.sessions.change(
        session.id, lambda session: session.assign(house.clock.now(), colleague.user_id, Role.CO_HOST)
    )
    token = claims((await house.live.start(session.id, colleague, None)).livekit_token)
    assert token["sub"] == colleague.identity
    assert (token["attributes"]["greenroom.role"], token["video"]["canPublish"]) == ("co_host", True)


async def test_who_is_banned_is_not_let_in(house: House, host: Host) -> None:
    session, banned = await host.live_session(), viewer()
    await ban(house, session, banned.user_id)
    with pytest.raises(Forbidden) as refusal:
        await house.admission.join(session.id, banned, None)
    assert refusal.value.code == "banned"
    await house.admission.join(session.id, viewer(), None)
