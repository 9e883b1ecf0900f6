"""A session of real people: its tokens, members and events."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from livekit import rtc

from tests.contract.api.room_connections import Attendee, RoomConnections
from tests.integration.signalwire.project import NOT_FOUND, Project
from tests.waiting import eventually

SOON = 30.0


@dataclass
class Meeting:
    """A session that was held. `ada` was there from its beginning to its end, `bob` in between."""

    room: dict[str, Any]
    session: dict[str, Any]
    ada: str
    bob: str
    metadata: str
    live_room: dict[str, Any]


async def _enter(connections: RoomConnections, project: Project, **fields: Any) -> Attendee:
    return await connections.enter(await project.room_token(**fields))


@pytest.fixture(scope="module")
async def meeting(project: Project, connections: RoomConnections) -> Meeting:
    ada = await _enter(
        connections, project, room_name="meeting", user_name="Ada", meta={"seat": 4}, join_audio_muted=True
    )
    bob = await _enter(connections, project, room_name="meeting", user_name="Bob", join_as="audience")
    await eventually(lambda: project.members("meeting", "in-progress"), lambda found: len(found) == 2, SOON)
    with_session = {"include_active_session": True}
    live_room = await project.call(
        "get_room_by_name", lambda client: client._http.get("/api/video/rooms/meeting", with_session)
    )
    metadata = ada.room.local_participant.metadata
    await bob.leave()
    await eventually(
        lambda: project.members("meeting", "in-progress"),
        lambda found: any(one["leave_time"] for one in found),
        SOON,
    )
    await ada.leave()
    members = await eventually(
        lambda: project.members("meeting", "completed"),
        lambda found: len(found) == 2 and all(one["leave_time"] for one in found),
        SOON,
    )
    session = (await project.sessions("meeting", "completed"))[0]
    ids = {one["name"]: one["id"] for one in members}
    room = await project.run(lambda client: client.video.rooms.get("meeting"))
    return Meeting(room, session, ids["Ada"], ids["Bob"], metadata, live_room)


async def test_a_token_makes_the_room_and_its_bearer_a_member(project: Project, meeting: Meeting) -> None:
    assert meeting.room["display_name"] == "meeting"
    assert json.loads(meeting.metadata) == {
        "join_audio_muted": True,
        "join_video_muted": False,
        "meta": {"seat": 4},
    }
    assert meeting.live_room["active_session"]["id"] == meeting.session["id"]
    assert meeting.live_room["active_session"]["status"] == "in-progress"


async def test_a_session_lasts_from_the_first_join_to_the_last_leaving(
    project: Project, meeting: Meeting
) -> None:
    members = {one["name"]: one for one in await project.members("meeting", "completed")}
    ada, bob = members["Ada"], members["Bob"]
    assert ada["join_time"] <= bob["join_time"] < bob["leave_time"] <= ada["leave_time"]
    session = meeting.session
    assert abs(_at(session["start_time"]) - _at(ada["join_time"])) < timedelta(seconds=2)
    assert abs(_at(session["end_time"]) - _at(ada["leave_time"])) < timedelta(seconds=2)
    assert session["duration"] == int((_at(session["end_time"]) - _at(session["start_time"])).total_seconds())
    alone = await project.call(
        "get_room_session", lambda client: client.video.room_sessions.get(session["id"])
    )
    assert session == alone | {"cost_in_dollars": 0.0, "locked_cover": ""}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_events_tell_who_came_and_went(project: Project, meeting: Meeting) -> None:
    listed = await project.call(
        "list_room_session_events",
        lambda client: client.video.room_sessions.list_events(meeting.session["id"], page_size=1000),
    )
    events = listed["data"]
    names = [one["name"] for one in events]
    assert {"room.started", "room.ended", "member.joined", "member.left"} <= set(names)
    assert {one["project_id"] for one in events} == {project.id}
    joined = [one["room_participant_id"] for one in events if one["name"] == "member.joined"]
    assert joined == [meeting.ada, meeting.bob]


async def test_before_join_from_the_door_is_closed(project: Project, connections: RoomConnections) -> None:
    opens = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with pytest.raises(rtc.ConnectError):
        await _enter(connections, project, room_name="meeting", join_from=opens)


async def test_who_has_been_there_long_enough_is_removed(
    project: Project, connections: RoomConnections
) -> None:
    started = asyncio.get_running_loop().time()
    guest = await _enter(connections, project, room_name="short-visit", remove_after_seconds_elapsed=3)
    # LiveKit reports a join within a second.
    assert await guest.until_gone(started) >= 2


async def test_a_member_with_whom_the_session_ends(project: Project, connections: RoomConnections) -> None:
    chair = await _enter(connections, project, room_name="chaired", end_room_session_on_leave=True)
    other = await _enter(connections, project, room_name="chaired")
    await chair.leave()
    await other.until_gone(asyncio.get_running_loop().time())


async def test_another_project_sees_nothing_of_it(
    project: Project, stranger: Project, meeting: Meeting
) -> None:
    video = stranger.client.video
    for listed in (video.rooms.list, video.room_sessions.list, video.room_recordings.list):
        assert (await asyncio.to_thread(listed))["data"] == []
    session = meeting.session["id"]
    for made in (
        lambda client: client.video.rooms.get("meeting"),
        lambda client: client.video.rooms.get(meeting.room["id"]),
        lambda client: client.video.rooms.update(meeting.room["id"], max_members=1),
        lambda client: client.video.rooms.delete(meeting.room["id"]),
        lambda client: client.video.room_sessions.get(session),
        lambda client: client.video.room_sessions.list_members(session),
        lambda client: client.video.room_sessions.list_events(session),
        lambda client: client.video.room_sessions.list_recordings(session),
    ):
        error = await stranger.refused(made)
        assert (error.status_code, error.body) == NOT_FOUND
