"""Sessions, peers and beams as 100ms shows them."""

import pytest

from services.gateway.compat.hundred_ms.beam_translation import (
    RECORDING_STATUSES,
    STREAM_STATUSES,
    listed_recording,
    live_stream,
    recording,
    recording_asset,
    starting_stream,
)
from services.gateway.compat.hundred_ms.session_translation import (
    active_peer,
    active_peer_with_tracks,
    active_room,
    session,
)
from tests.unit.gateway.hundred_ms.contract import CONTRACT, check_fields
from tests.unit.gateway.hundred_ms.fixtures import (
    ADA,
    BEN,
    native_connection,
    native_participant,
    native_recording,
    native_stream,
)
from tests.unit.gateway.signalwire.fixtures import EARLIER, LATER, ROOM_ID, SESSION_ID, native_session

ASSETS = frozenset({"recording_assets"})
TRACK_FIELDS = {"id", "stream_id", "mute", "type", "source", "started_at", "description"}


def test_a_session_has_its_peers_by_their_ids() -> None:
    left = native_connection(id=BEN, name="Ben", role="audience", external_user_id=None, left_at=LATER)
    shown = session(native_session(), [native_connection(), left], "o-1").model_dump()
    check_fields(shown, "Session")
    assert shown["active"] is True
    assert list(shown["peers"]) == [ADA, BEN]
    for id, peer in shown["peers"].items():
        check_fields(peer, "SessionPeer")
        assert (peer["id"], peer["session_id"], peer["user"]) == (id, SESSION_ID, peer["user_id"])
    ada, ben = shown["peers"].values()
    assert (ada["role"], ada["user_id"], ada["left_at"]) == ("host", "ada-7", None)
    assert (ben["role"], ben["user_id"], ben["left_at"]) == ("audience", left["user_id"], LATER)


def test_the_times_of_a_session_that_is_over_span_it() -> None:
    native = native_session(
        status="ended", started_at=EARLIER, ended_at=LATER, updated_at="2030-01-01T00:00:00Z"
    )
    shown = session(native, [], "o-1")
    assert (shown.active, shown.created_at, shown.updated_at) == (False, EARLIER, LATER)


def test_an_active_room_names_its_session_s_peers() -> None:
    shown = active_room(native_session(), [native_participant()], "o-1").model_dump()
    check_fields(shown, "ActiveRoom")
    assert shown["session"] == {"id": SESSION_ID, "created_at": EARLIER, "peers": [ADA]}
    assert (shown["id"], shown["name"]) == (ROOM_ID, "standup")
    assert active_room(native_session(room_name=None), [], "o-1").name == ROOM_ID


def test_a_peer_has_its_tracks_by_their_ids() -> None:
    alone = active_peer(native_participant(metadata=None)).model_dump()
    check_fields(alone, "ActivePeer")
    assert alone["metadata"] == ""
    shown = active_peer_with_tracks(native_participant()).model_dump()
    assert set(shown) == {*CONTRACT["schemas"]["ActivePeer"], "tracks"}
    assert shown["tracks"] == {
        "TR_1": {
            "id": "TR_1",
            "stream_id": "PA_ada",
            "mute": True,
            "type": "video",
            "source": "screen",
            "started_at": EARLIER,
            "description": "",
        }
    }
    assert set(shown["tracks"]["TR_1"]) == TRACK_FIELDS


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "recording", "started_at": None, "finished_at": None}, "starting"),
        ({"status": "recording", "finished_at": None}, "running"),
        ({"status": "recording", "finished_at": None, "stop_requested_at": LATER}, "stopping"),
        ({"status": "recording"}, "post_processing"),
        ({"status": "completed"}, "completed"),
        ({"status": "failed", "file_path": None, "file_size": None, "duration": None}, "failed"),
    ],
)
def test_a_recording_s_status(changes: dict[str, object], status: str) -> None:
    native = native_recording(**changes)
    shown = recording(native).model_dump()
    check_fields(shown, "Recording")
    check_fields(listed_recording(native).model_dump(), "Recording", ASSETS)
    assert shown["status"] == status
    assert native["status"] in RECORDING_STATUSES[recording(native).status]
    assert (shown["recording_assets"] is not None) == (status in {"completed", "failed"})


def test_a_recording_s_file() -> None:
    shown = recording_asset(native_recording()).model_dump()
    check_fields(shown, "RecordingAsset")
    assert (shown["status"], shown["path"], shown["size"], shown["duration"]) == (
        "completed",
        "recordings/1.mp4",
        1000,
        90,
    )
    nothing = native_recording(status="failed", file_path=None, file_size=None, duration=None)
    failed = recording_asset(nothing)
    assert (failed.status, failed.path, failed.size, failed.duration) == ("failed", "", 0, 0)


@pytest.mark.parametrize(
    ("native", "status"),
    [
        ("none", "starting"),
        ("starting", "starting"),
        ("active", "running"),
        ("ending", "stopping"),
        ("ended", "completed"),
        ("failed", "failed"),
    ],
)
def test_a_stream_s_status(native: str, status: str) -> None:
    shown = live_stream(native_stream(status=native))
    check_fields(shown.model_dump(), "LiveStream")
    assert shown.status == status
    assert native in {*STREAM_STATUSES[shown.status], "none"}


def test_a_stream_that_is_not_known_yet_is_starting() -> None:
    shown = starting_stream(native_session())
    check_fields(shown.model_dump(), "LiveStream")
    assert (shown.id, shown.session_id, shown.status, shown.playback.url) == (
        SESSION_ID,
        SESSION_ID,
        "starting",
        "",
    )


def test_all_published_statuses_can_be_filtered_by() -> None:
    published = CONTRACT["schemas"]["BeamStatus"]
    assert list(RECORDING_STATUSES) == published
    assert list(STREAM_STATUSES) == published
