"""Sessions, members, recordings and events as SignalWire shows them."""

import pytest

from services.gateway.compat.signalwire.event_translation import video_event
from services.gateway.compat.signalwire.session_translation import (
    video_active_session,
    video_member,
    video_recording,
    video_session,
    video_session_summary,
)
from tests.unit.gateway.signalwire.fixtures import EARLIER, LATER, ROOM_ID, SESSION_ID, native_session

RECORDING, STREAM = "recording.changed.v1", "stream.changed.v1"


def test_a_session_has_the_newer_and_the_earlier_fields() -> None:
    meta = {"signalwire": {"sync_audio_video": True, "enable_room_previews": True, "layout": "5up"}}
    shown = video_session(native_session(meta=meta)).model_dump()
    assert (shown["sync_audio_video"], shown["audio_video_sync"], shown["enable_room_previews"]) == (
        True,
    ) * 3
    assert (shown["layout"], shown["status"], shown["cost_in_dollars"]) == ("5up", "in-progress", 0.0)
    assert (shown["quality"], shown["fps"], shown["max_members"]) == ("1080p", 30, 12)
    assert (shown["start_time"], shown["end_time"]) == (EARLIER, None)


def test_one_session_lacks_what_lists_alone_have() -> None:
    in_list, alone = video_session(native_session()), video_session_summary(native_session())
    assert in_list.model_dump().keys() - alone.model_dump().keys() == {"cost_in_dollars", "locked_cover"}


def test_an_ended_session_is_completed() -> None:
    shown = video_session(native_session(status="ended", ended_at=LATER, duration=90))
    assert (shown.status, shown.end_time, shown.duration) == ("completed", LATER, 90)


def test_a_room_s_active_session_has_no_nulls() -> None:
    shown = video_active_session(native_session()).model_dump(exclude_none=True)
    assert None not in shown.values()
    assert (shown["id"], shown["room_id"], shown["audio_video_sync"]) == (SESSION_ID, ROOM_ID, False)
    assert "end_time" not in shown


@pytest.mark.parametrize(("left", "duration"), [(LATER, 90), (None, None)])
def test_a_member_stays_from_joining_to_leaving(left: str | None, duration: int | None) -> None:
    member = video_member(
        {"id": "c-1", "session_id": SESSION_ID, "name": "Ada", "joined_at": EARLIER, "left_at": left}
    )
    assert (member.join_time, member.leave_time, member.duration) == (EARLIER, left, duration)
    assert member.cost_in_dollars == 0.0


@pytest.mark.parametrize(
    ("native", "finished", "status"),
    [
        ("recording", None, "recording"),
        ("recording", LATER, "processing"),
        ("completed", LATER, "completed"),
        ("failed", LATER, None),
    ],
)
def test_a_recording_s_status(native: str, finished: str | None, status: str | None) -> None:
    recording = {
        "id": "r-1",
        "session_id": SESSION_ID,
        "status": native,
        "started_at": EARLIER,
        "finished_at": finished,
        "duration": 90,
        "file_size": 1024,
        "created_at": EARLIER,
        "updated_at": LATER,
    }
    shown = video_recording(recording, "https://example.com/file")
    assert (shown.status, shown.format, shown.size_in_bytes) == (status, "mp4", 1024)
    assert shown.uri == "https://example.com/file"


def test_an_event_names_what_it_is_about() -> None:
    event = {
        "id": "e-1",
        "at": EARLIER,
        "name": "participant.joined.v1",
        "kind": "webhook",
        "actor": None,
        "data": {"connection_id": "c-1", "name": "Ada"},
    }
    shown = video_event(event, native_session(), "key-1")
    assert shown == {
        "id": "e-1",
        "project_id": "key-1",
        "room_id": ROOM_ID,
        "room_session_id": SESSION_ID,
        "room_participant_id": "c-1",
        "level": "info",
        "name": "member.joined",
        "payload": {"connection_id": "c-1", "name": "Ada"},
        "created_at": EARLIER,
    }
    started = video_event(event | {"name": "session.started.v1", "data": {}}, native_session(), "key-1")
    assert started["name"] == "room.started"
    assert "room_participant_id" not in started


@pytest.mark.parametrize(
    ("native", "data", "name", "level"),
    [
        ("session.ended.v1", {}, "room.ended", "info"),
        ("track.published.v1", {}, "track.published", "info"),
        (RECORDING, {"status": "recording", "updated_at": EARLIER}, "recording.started", "info"),
        (RECORDING, {"status": "recording", "updated_at": LATER}, "recording.updated", "info"),
        (RECORDING, {"status": "completed", "updated_at": LATER}, "recording.ended", "info"),
        (RECORDING, {"status": "failed", "updated_at": LATER}, "recording.ended", "error"),
        (STREAM, {"status": "starting", "updated_at": LATER}, "stream.updated", "info"),
        (STREAM, {"status": "active", "updated_at": LATER}, "stream.started", "info"),
        (STREAM, {"status": "ended", "updated_at": LATER}, "stream.ended", "info"),
    ],
)
def test_events_have_signalwire_s_names(native: str, data: dict[str, str], name: str, level: str) -> None:
    created = {"created_at": EARLIER} if native == RECORDING else {}
    event = {"id": "e-1", "at": EARLIER, "name": native, "data": created | data}
    shown = video_event(event, native_session(), "key-1")
    assert (shown["name"], shown["level"]) == (name, level)
