"""People in a room and their connections, over real connections to LiveKit by tokens of the room."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from livekit import rtc

from deploy.local.stack import Stack
from shared.ids import connection_id, new_id
from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.room_connections import AT_ONCE, Attendee, RoomConnections, room_connections
from tests.waiting import equal_to, eventually

pytestmark = pytest.mark.timeout(240)

# Between LiveKit's clock and the test's, and from a leaving to LiveKit noticing it.
ABOUT = timedelta(seconds=2)


@pytest.fixture
async def livekit(stack: Stack) -> AsyncIterator[RoomConnections]:
    async with room_connections(stack) as opened:
        yield opened


@dataclass
class OpenRoom:
    """A room with automatic sessions, used by an API key of its host."""

    fixtures: Fixtures
    livekit: RoomConnections
    key: str
    id: str
    session: str = ""

    async def call(
        self, method: str, path: str, body: object = None, query: dict[str, Any] | None = None
    ) -> Answer:
        headers = {"X-API-Key": self.key}
        return await self.fixtures.client.call(method, path, None, body, headers=headers, query=query)

    async def data(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.call(method, path, body)
        assert answer.status < 300, answer
        return answer.data

    async def join(self, external_user_id: str, **fields: Any) -> Attendee:
        """Somebody connects with a token of the room, and is listed."""
        body = {"external_user_id": external_user_id, "name": external_user_id.title(), **fields}
        issued = await self.data("POST", f"/rooms/{self.id}/tokens", body)
        self.session = issued["session_id"]
        attendee = await self.livekit.enter(issued["livekit_token"])
        await eventually(self.people, lambda people: attendee.identity in [one["identity"] for one in people])
        return attendee

    async def people(self) -> list[dict[str, Any]]:
        """Who is in the room; nobody before the session is live."""
        answer = await self.call("GET", f"/sessions/{self.session}/room/participants")
        if answer.status == 409:
            answer.check_refusal(409, "session_not_live")
            return []
        return list(answer.data["participants"])

    async def person(self, external_user_id: str) -> dict[str, Any]:
        (found,) = [one for one in await self.people() if one["external_user_id"] == external_user_id]
        return found

    async def connections(self) -> list[dict[str, Any]]:
        return list((await self.data("GET", f"/sessions/{self.session}/connections"))["connections"])

    async def ended(self, count: int) -> list[dict[str, Any]]:
        """All connections, once so many have ended."""
        return await eventually(
            self.connections, lambda found: sum(one["left_at"] is not None for one in found) == count
        )


@pytest.fixture
async def room(fixtures: Fixtures, livekit: RoomConnections) -> OpenRoom:
    key = await fixtures.admin.api_key(fixtures.host)
    return OpenRoom(fixtures, livekit, key, await fixtures.room(auto_session=True))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def messages(attendee: Attendee) -> asyncio.Queue[rtc.DataPacket]:
    received: asyncio.Queue[rtc.DataPacket] = asyncio.Queue()
    attendee.room.on("data_received", received.put_nowait)
    return received


async def test_somebody_joins_is_changed_written_to_removed_and_has_left(room: OpenRoom) -> None:
    began = datetime.now(UTC)
    carla = await room.join("carla", role="guest", metadata='{"seat": 4}')
    shown = await room.person("carla")
    path = f"/sessions/{room.session}/room/participants/{shown['id']}"
    assert shown["id"] == connection_id(room.session, shown["participant_sid"])
    assert (shown["name"], shown["role"], shown["metadata"]) == ("Carla", "stage", '{"seat": 4}')
    assert shown["participant_sid"] == carla.room.local_participant.sid

    assert began - ABOUT <= moment(shown["joined_at"]) <= datetime.now(UTC) + ABOUT
    (known,) = await room.connections()
    assert (known["id"], known["external_user_id"], known["name"]) == (shown["id"], "carla", "Carla")
    assert (known["joined_at"], known["left_at"]) == (shown["joined_at"], None)

    await carla.publish()
    listed = await eventually(lambda: room.data("GET", path), lambda found: found["tracks"])
    (track,) = listed["tracks"]
    assert (track["type"], track["source"], track["muted"]) == ("audio", "microphone", False)

    changed = await room.data("PATCH", path, {"name": "Carla B", "metadata": "later", "role": "audience"})
    assert (changed["name"], changed["metadata"], changed["role"]) == ("Carla B", "later", "audience")
    await eventually(lambda: told(carla), equal_to(("Carla B", "later")))
    await eventually(lambda: room.data("GET", path), lambda found: not found["tracks"])
    assert (await room.person("carla"))["name"] == "Carla B"
    await carla.publishes_nothing()

    received = messages(carla)
    body = {"message": "Goodbye", "type": "notice", "connection_id": shown["id"]}
    await room.data("POST", f"/sessions/{room.session}/room/messages", body)
    packet = await asyncio.wait_for(received.get(), AT_ONCE)
    said = json.loads(packet.data)
    assert (packet.topic, said["type"], said["message"]) == ("greenroom.message", "notice", "Goodbye")
    assert said["sender"]["user_id"] == room.fixtures.host.id

    removed_at = datetime.now(UTC)
    await room.data("DELETE", f"{path}?reason=Enough")
    await carla.until_gone(time.monotonic())
    farewell = json.loads((await asyncio.wait_for(received.get(), AT_ONCE)).data)
    assert (farewell["type"], farewell["message"]) == ("removed", "Enough")
    (gone,) = await room.ended(1)
    assert removed_at - ABOUT <= moment(gone["left_at"]) <= datetime.now(UTC) + ABOUT
    assert not gone["estimated"]


async def told(attendee: Attendee) -> tuple[str, str]:
    """Their own name and metadata, as their client was told."""
    return attendee.room.local_participant.name, attendee.room.local_participant.metadata


async def test_messages_and_removals_reach_whom_they_name(room: OpenRoom) -> None:
    staff = await room.join("staff", role="moderator")
    guests = [await room.join(name) for name in ("anna", "bert")]
    queues = [messages(one) for one in (staff, *guests)]
    path = f"/sessions/{room.session}/room"
    anna = (await room.person("anna"))["id"]
    for body in ({"role": "moderator"}, {"connection_id": anna}, {"role": "co_host"}, {}):
        await room.data("POST", f"{path}/messages", {"message": str(body), **body})
    heard: list[list[str]] = []
    for queue in queues:
        said: list[str] = []
        # The last was for everybody.
        while said[-1:] != ["{}"]:
            said.append(json.loads((await asyncio.wait_for(queue.get(), AT_ONCE)).data)["message"])
        heard.append(said)
    assert heard == [["{'role': 'moderator'}", "{}"], [str({"connection_id": anna}), "{}"], ["{}"]]
    answer = await room.call("DELETE", f"{path}/participants", query={"role": "audience"})
    assert answer.data == {"removed": 2}
    for guest in guests:
        await guest.until_gone(time.monotonic())
    assert [one["external_user_id"] for one in await room.people()] == ["staff"]
    found = await room.ended(2)
    assert [(one["external_user_id"], one["left_at"] is None) for one in found] == [
        ("staff", True),
        ("anna", False),
        ("bert", False),
    ]


async def test_every_connection_has_left_when_the_session_is_over(room: OpenRoom) -> None:
    anna = await room.join("anna")
    await anna.leave()
    (first,) = await room.ended(1)
    await room.join("anna")
    await room.join("bert")
    await room.data("POST", f"/sessions/{room.session}/end")
    ended_at = moment((await room.data("GET", f"/sessions/{room.session}"))["ended_at"])
    found = await room.ended(3)
    assert [one["external_user_id"] for one in found] == ["anna", "anna", "bert"]
    assert found[0] == first
    assert [moment(one["left_at"]) for one in found[1:]] == [ended_at, ended_at]
    assert len({one["id"] for one in found}) == 3

    async def read() -> tuple[Any, Any, Any]:
        both = await room.data("GET", f"/connections?session_id={room.session}&session_id={room.session}")
        page = await room.data("GET", f"/sessions/{room.session}/connections?limit=2&active=false")
        rest = await room.data("GET", f"/sessions/{room.session}/connections?cursor={page['next_cursor']}")
        assert both["incomplete"] == []
        assert rest["next_cursor"] is None
        return (
            await room.ended(3),
            both["connections"][room.session],
            [*page["connections"], *rest["connections"]],
        )

    # LiveKit's own words on who left may come between two of the answers.
    await eventually(read, lambda answers: answers[0] == answers[1] == answers[2])


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["session_id"]),
        ("session_id=x", ["session_id.0"]),
        ("&".join(f"session_id={new_id()}" for _ in range(101)), ["session_id"]),
    ],
)
async def test_which_sessions_must_be_said(room: OpenRoom, query: str, fields: list[str]) -> None:
    (await room.call("GET", f"/connections?{query}")).check_bad_fields(*fields)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"metadata": ""}, ["metadata"]),
        ({"metadata": "x" * 4097}, ["metadata"]),
        ({"role": "host"}, ["role"]),
        ({"role": "guest", "name": 7}, ["role", "name"]),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    room: OpenRoom, body: dict[str, Any], fields: list[str]
) -> None:
    path = f"/sessions/{new_id()}/room/participants/{new_id()}"
    (await room.call("PATCH", path, body)).check_bad_fields(*fields)


async def test_a_key_that_only_reads_changes_nothing(fixtures: Fixtures) -> None:
    key = await fixtures.admin.api_key(fixtures.host, scopes=["read"])
    session = await fixtures.live_session()
    own = {"X-API-Key": key}
    path = f"/sessions/{session}/room"
    listed = await fixtures.client.call("GET", f"{path}/participants", None, headers=own)
    assert listed.data == {"participants": []}
    for method, what in (
        ("PATCH", f"participants/{new_id()}"),
        ("DELETE", f"participants/{new_id()}"),
        ("DELETE", "participants?role=audience"),
        ("POST", "messages"),
    ):
        answer = await fixtures.client.call(method, f"{path}/{what}", None, {"message": "x"}, headers=own)
        answer.check_refusal(403, "scope_missing")
