"""Messages to the people in a room: what they say, and whom they reach."""

from typing import Any

import orjson
import pytest

from services.session.room_participants.messages import TOPIC, RoomMessage
from shared.access.identity import Caller
from shared.contracts.states import Role
from shared.errors import Conflict, Forbidden, NotFound
from shared.ids import new_id
from tests.fakes.fake_livekit import SentData
from tests.unit.session.actors import Host, grant_role, new_host, refused, viewer
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0, caller
from tests.unit.session.room_participants.room import LiveRoom, live_room


@pytest.fixture
async def room(backend: Backend, host: Host) -> LiveRoom:
    return await live_room(backend, host)


async def send(room: LiveRoom, by: Caller | None = None, **fields: Any) -> None:
    message = RoomMessage(**{"message": "Five minutes", "type": "notice"} | fields)
    await room.backend.room_messages.send(room.session.id, by or room.host.caller, None, message)


def sent(room: LiveRoom) -> list[SentData]:
    return [one for one in room.backend.livekit.sent if one.topic == TOPIC]


async def test_a_message_says_who_sent_it_and_when(room: LiveRoom) -> None:
    await send(room)
    (one,) = sent(room)
    assert (one.room, one.identities) == (room.session.id, ())
    assert orjson.loads(one.payload) == {
        "type": "notice",
        "message": "Five minutes",
        "sent_at": T0.isoformat(),
        "sender": {"user_id": room.host.user.id, "name": "Hanna"},
    }


async def test_an_api_key_speaks_for_the_host(backend: Backend, room: LiveRoom) -> None:
    key = caller(new_id(), room.host.library.organization_id, api_key_id=new_id())
    await send(room, key)
    assert orjson.loads(sent(room)[0].payload)["sender"]["user_id"] == room.host.user.id


async def test_it_reaches_one_connection_a_role_or_everybody(backend: Backend, room: LiveRoom) -> None:
    (vera, first), (otto, _) = await room.joins(), await room.joins()
    await grant_role(backend, room.host, room.session, otto, Role.MODERATOR)
    await send(room, connection_id=first)
    await send(room, role=Role.MODERATOR)
    await send(room, connection_id=first, role=Role.MODERATOR)
    await send(room)
    to_vera, to_otto = ((f"{one.user_id}:{one.sign_in_id}",) for one in (vera, otto))
    assert [one.identities for one in sent(room)] == [to_vera, to_otto, to_vera, ()]


async def test_a_role_that_nobody_has_is_not_everybody(room: LiveRoom) -> None:
    await room.joins()
    await send(room, role=Role.CO_HOST)
    assert sent(room) == []


async def test_who_is_removed_is_told_why_beforehand(backend: Backend, room: LiveRoom) -> None:
    (vera, first), (otto, _), _ = await room.joins(), await room.joins(), await room.joins()
    await grant_role(backend, room.host, room.session, otto, Role.MODERATOR)
    service, session, by = backend.room_participants, room.session.id, room.host.caller
    await service.remove(session, by, None, first, "Spam")
    await service.remove_all(session, by, None, Role.MODERATOR, "The talk is over")
    await service.remove_all(session, by, None, Role.CO_HOST, "Nobody hears this")
    await service.remove_all(session, by, None, Role.AUDIENCE)
    told = [(orjson.loads(one.payload), one.identities) for one in sent(room)]
    to_vera, to_otto = ((f"{one.user_id}:{one.sign_in_id}",) for one in (vera, otto))
    assert [(one["type"], one["message"], to) for one, to in told] == [
        ("removed", "Spam", to_vera),
        ("removed", "The talk is over", to_otto),
    ]
    calls = [one for one in backend.livekit.calls if one in {"send_data", "remove_participant"}]
    assert calls == ["send_data", "remove_participant"] * 2 + ["remove_participant"]


async def test_who_may_not_and_when_not(backend: Backend, host: Host, room: LiveRoom) -> None:
    await refused("connection_not_found", NotFound, send(room, connection_id=new_id()))
    await refused("host_required", Forbidden, send(room, viewer()))
    await refused("session_not_found", NotFound, send(room, (await new_host(backend)).caller))
    scheduled = LiveRoom(backend, host, await host.session())
    await refused("session_not_live", Conflict, send(scheduled))
    assert sent(room) == []
