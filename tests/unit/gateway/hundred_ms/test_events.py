"""A journal's entries as analytics events."""

from typing import Any

import pytest

from services.gateway.compat.hundred_ms.event_translation import EVENT_TYPES, analytics_event, native_names
from shared.ids import new_id
from tests.unit.gateway.hundred_ms.contract import CONTRACT
from tests.unit.gateway.hundred_ms.fixtures import ADA, RECORDING_ID
from tests.unit.gateway.signalwire.fixtures import EARLIER, LATER, ROOM_ID, SESSION_ID, native_session

WHO = {
    "connection_id": ADA,
    "participant_sid": "PA_ada",
    "user_id": "u-7",
    "external_user_id": "ada-7",
    "name": "Ada",
    "role": "stage",
    "joined_at": EARLIER,
}
PEER = {
    "peer_id": ADA,
    "stream_id": "PA_ada",
    "user_id": "ada-7",
    "user_name": "Ada",
    "role": "guest",
    "joined_at": EARLIER,
}
FILE = {"recording_id": RECORDING_ID, "status": "completed", "duration": 90, "file_size": 1000}


def native_event(event_name: str, /, **data: object) -> dict[str, Any]:
    return {"id": new_id(), "name": event_name, "kind": "event", "at": LATER, "actor": None, "data": data}


@pytest.mark.parametrize(
    ("name", "data", "kind", "shown"),
    [
        ("session.started", {}, "session.open.success", {}),
        (
            "session.ended",
            {"end_reason": "host"},
            "session.close.success",
            {"session_stopped_at": LATER, "session_duration": 90},
        ),
        ("participant.joined", WHO, "peer.join.success", PEER),
        (
            "participant.left",
            WHO | {"reason": "client_initiated"},
            "peer.leave.success",
            PEER | {"left_at": LATER, "duration": 90, "reason": "client request"},
        ),
        ("participant.connection_aborted", {"reason": "x"}, "peer.join.failure", {}),
        (
            "track.published",
            WHO | {"track_id": "TR_1", "type": "video", "source": "screen_share"},
            "track.add.success",
            PEER | {"track_id": "TR_1", "type": "video", "source": "screen", "started_at": LATER},
        ),
        (
            "track.unpublished",
            {"track_id": "TR_1", "type": "audio", "source": "microphone"},
            "track.remove.success",
            {"track_id": "TR_1", "type": "audio", "source": "regular", "stopped_at": LATER},
        ),
        (
            "recording.completed",
            FILE,
            "beam.recording.success",
            {"beam_id": RECORDING_ID, "recording_id": RECORDING_ID, "duration": 90, "size": 1000},
        ),
        ("stream.started", {"status": "active"}, "hls.started.success", {"beam_id": SESSION_ID}),
        ("stream.failed", {"error": "why"}, "hls.failure", {"beam_id": SESSION_ID, "error": "why"}),
    ],
)
def test_an_event_has_its_type_and_published_data(
    name: str, data: dict[str, object], kind: str, shown: dict[str, object]
) -> None:
    native = native_event(name, **data)
    event = analytics_event(native, native_session(preset={"id": "p-1"}))
    assert event.pop("data") == {
        "room_id": ROOM_ID,
        "room_name": "standup",
        "session_id": SESSION_ID,
        "template_id": "p-1",
        "session_started_at": EARLIER,
        **shown,
    }
    assert event == {"version": "2.0", "id": native["id"], "timestamp": LATER, "type": kind}


@pytest.mark.parametrize("reason", ["participant_removed", "room_deleted", "unknown_reason", None])
def test_reasons_of_leaving_are_published_ones(reason: str | None) -> None:
    event = analytics_event(native_event("participant.left", reason=reason), native_session(preset=None))
    assert event["data"]["reason"] in CONTRACT["webhooks"]["peer_leave_reasons"]


def test_events_are_asked_for_by_their_types() -> None:
    assert native_names(None, failures=False) == list(EVENT_TYPES.values())
    assert native_names(["hls.failure", "unknown"], failures=False) == ["stream.failed"]
    assert native_names(["hls.failure", "peer.join.success"], failures=True) == ["stream.failed"]
    assert native_names(["unknown"], failures=False) == []
