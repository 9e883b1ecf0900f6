"""Sessions of real people: their codes, peers, messages, removal, recordings and events."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from tests.contract.api.room_connections import Attendee, RoomConnections
from tests.integration.hundred_ms.account import Account
from tests.unit.gateway.hundred_ms.contract import check_fields
from tests.waiting import eventually

SOON = 30.0


async def _enter(
    connections: RoomConnections, account: Account, room_id: str, role: str, user_id: str
) -> Attendee:
    return await connections.enter(await account.token(room_id, role, user_id))


@pytest.fixture(scope="module")
async def lesson(account: Account, connections: RoomConnections) -> tuple[str, Attendee, Attendee]:
    """A room's id, and two who are in it: `ada`, its host, and `ben`, a guest."""
    room_id = await account.room("Lesson.1:a")
    ada = await _enter(connections, account, room_id, "host", "ada")
    ben = await _enter(connections, account, room_id, "guest", "ben")
    await eventually(lambda: account.peers(room_id), lambda found: len(found) == 2, SOON)
    return room_id, ada, ben


async def test_a_room_is_made_once_whatever_the_case_of_its_name(account: Account) -> None:
    first = await account.room("Twice.1", description="first", region="eu")
    assert await account.room("TWICE.1", description="second") == first
    room = await account.client.get(f"/rooms/{first}")
    check_fields(room, "Room")
    assert (room["description"], room["region"], room["enabled"]) == ("second", "eu", True)
    named = await account.client.get("/rooms", {"name": "twice.1"})
    assert [one["id"] for one in named["data"]] == [first]


async def test_whoever_joins_with_a_code_is_a_peer(
    account: Account, lesson: tuple[str, Attendee, Attendee]
) -> None:
    room_id, ada, _ = lesson
    await ada.publish()
    active = await account.client.get(f"/active-rooms/{room_id}")
    check_fields(active, "ActiveRoom")
    peers = (await account.client.get(f"/active-rooms/{room_id}/peers"))["peers"]
    assert set(active["session"]["peers"]) == set(peers)
    assert {(one["user_id"], one["role"]) for one in peers.values()} == {("ada", "host"), ("ben", "guest")}
    hosts = (await account.client.get(f"/active-rooms/{room_id}/peers", {"role": "host"}))["peers"]
    [ada_id] = hosts
    await eventually(
        lambda: account.client.get(f"/active-rooms/{room_id}/peers/{ada_id}"),
        lambda peer: [track["type"] for track in peer["tracks"].values()] == ["audio"],
        SOON,
    )
    session = (await account.client.get("/sessions", {"room_id": room_id, "active": True}))["data"][0]
    check_fields(session, "Session")
    assert (session["id"], set(session["peers"])) == (active["session"]["id"], set(peers))


async def test_a_peer_is_changed_and_written_to(
    account: Account, lesson: tuple[str, Attendee, Attendee]
) -> None:
    room_id, _, ben = lesson
    said: asyncio.Queue[Any] = asyncio.Queue()
    ben.room.on("data_received", lambda packet: said.put_nowait(packet))
    [ben_id] = (await account.client.get(f"/active-rooms/{room_id}/peers", {"user_id": "ben"}))["peers"]
    changed = await account.client.post(
        f"/active-rooms/{room_id}/peers/{ben_id}", {"name": "Benjamin", "metadata": '{"a":1}'}
    )
    assert (changed["name"], changed["metadata"]) == ("Benjamin", '{"a":1}')
    message = {"message": "Hello", "type": "chat", "peerId": ben_id}
    await account.client.post(f"/active-rooms/{room_id}/send-message", message)
    async with asyncio.timeout(SOON):
        while (packet := await said.get()).topic != "greenroom.message":
            pass
    assert json.loads(packet.data).items() >= {"type": "chat", "message": "Hello"}.items()


async def test_who_is_removed_has_left_and_the_last_to_leave_ends_the_session(
    account: Account, connections: RoomConnections
) -> None:
    room_id = await account.room("short")
    ada = await _enter(connections, account, room_id, "host", "ada")
    ben = await _enter(connections, account, room_id, "audience", "ben")
    await eventually(lambda: account.peers(room_id), lambda found: len(found) == 2, SOON)
    await account.client.post(f"/active-rooms/{room_id}/remove-peers", {"role": "audience"})
    await ben.until_removed()
    peers = await eventually(
        lambda: account.peers(room_id), lambda found: found["ben"]["left_at"] is not None, SOON
    )
    assert peers["ada"]["left_at"] is None
    assert peers["ada"]["joined_at"] <= peers["ben"]["joined_at"] < peers["ben"]["left_at"]
    await ada.leave()
    sessions = await eventually(
        lambda: account.client.get("/sessions", {"room_id": room_id, "active": False}),
        lambda found: found["data"],
        SOON,
    )
    session = sessions["data"][0]
    last = next(one for one in session["peers"].values() if one["user_id"] == "ada")
    assert abs(_at(session["created_at"]) - _at(last["joined_at"])).total_seconds() < 2
    assert abs(_at(session["updated_at"]) - _at(last["left_at"])).total_seconds() < 2
    for times, found in (
        ({"after": session["created_at"], "before": session["created_at"]}, [session["id"]]),
        ({"after": session["updated_at"]}, []),
    ):
        listed = await account.client.get("/sessions", {"room_id": room_id, **times})
        assert [one["id"] for one in listed["data"]] == found


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_room_that_is_ended_and_locked_lets_nobody_in(
    account: Account, connections: RoomConnections
) -> None:
    room_id = await account.room("locked")
    ada = await _enter(connections, account, room_id, "host", "ada")
    await eventually(lambda: account.peers(room_id), len, SOON)
    code = (await account.client.post(f"/room-codes/room/{room_id}/role/guest"))["code"]
    ended = await account.client.post(f"/active-rooms/{room_id}/end-room", {"lock": True})
    assert ended == {"message": "session is ending"}
    await ada.until_removed()
    assert await account.refused(f"/active-rooms/{room_id}") == 404
    assert await account.refused("/token", {"code": code}) == 403
    room = await account.client.post(f"/rooms/{room_id}", {"enabled": True})
    assert room["enabled"]
    assert (await account.client.post("/token", {"code": code}))["token"]
    await account.client.post("/room-codes/code", {"code": code, "enabled": False})
    assert await account.refused("/token", {"code": code}) == 403


async def test_the_journal_tells_who_came_and_went(
    account: Account, lesson: tuple[str, Attendee, Attendee]
) -> None:
    room_id, _, _ = lesson
    query = {"room_id": room_id, "type": ["peer.join.success", "session.open.success"]}
    page = await eventually(
        lambda: account.client.get("/analytics/events", query),
        lambda found: found["total"] == 3,
        SOON,
    )
    assert set(page) == {"limit", "total", "next", "events"}
    joined = [one["data"] for one in page["events"] if one["type"] == "peer.join.success"]
    assert [(one["user_id"], one["role"]) for one in joined] == [("ada", "host"), ("ben", "guest")]
    assert {one["room_name"] for one in joined} == {"Lesson.1:a"}


async def test_a_recording_has_a_file_to_fetch(
    account: Account, lesson: tuple[str, Attendee, Attendee]
) -> None:
    room_id, ada, _ = lesson
    await ada.publish()
    started = await account.client.post(f"/recordings/room/{room_id}/start", {"meeting_url": "x"})
    check_fields(started, "Recording")
    path = f"/recordings/{started['id']}"
    await eventually(lambda: account.client.get(path), lambda found: found["status"] == "running", SOON)
    stopped = await account.client.post(f"{path}/stop")
    assert stopped["status"] in {"stopping", "post_processing", "completed"}
    await eventually(lambda: account.client.get(path), lambda found: found["status"] == "completed", SOON)
    assets = (await account.client.get("/recording-assets", {"room_id": room_id}))["data"]
    check_fields(assets[0], "RecordingAsset")
    signed = await account.client.get(f"/recording-assets/{assets[0]['id']}/presigned-url")
    async with account.client.http.get(signed["url"]) as file:
        assert (file.status, file.content_type) == (200, "video/mp4")
        assert int(file.headers["Content-Length"]) == assets[0]["size"] > 0


async def test_another_account_sees_nothing_of_it(
    account: Account, stranger: Account, lesson: tuple[str, Attendee, Attendee]
) -> None:
    room_id, _, _ = lesson
    session = (await account.client.get("/sessions", {"room_id": room_id}))["data"][0]["id"]
    for path in ("/sessions", "/rooms", "/recordings", "/recording-assets", "/live-streams"):
        assert (await stranger.client.get(path))["data"] == []
    assert (await stranger.client.get("/analytics/events", {"room_id": room_id}))["events"] == []
    for path in (
        f"/rooms/{room_id}",
        f"/sessions/{session}",
        f"/active-rooms/{room_id}",
        f"/active-rooms/{room_id}/peers",
        f"/room-codes/room/{room_id}",
        f"/live-streams/{session}",
    ):
        assert await stranger.refused(path) == 404
    for path, payload in (
        (f"/rooms/{room_id}", {"enabled": False}),
        (f"/room-codes/room/{room_id}", {}),
        (f"/active-rooms/{room_id}/end-room", {}),
        (f"/recordings/room/{room_id}/start", {}),
    ):
        assert await stranger.refused(path, payload) == 404
