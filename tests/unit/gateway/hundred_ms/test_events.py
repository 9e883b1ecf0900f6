"""A journal's entries as analytics events."""

from typing import Any

import pytest

from services.gateway.compat.hundred_ms.event_translation import (
    EVENT_TYPES,
    analytics_events,
    needs_connections,
    wanted_types,
)
from services.session.journal.event_views import VIEWS
from shared.ids import new_id
from tests.unit.gateway.hundred_ms.contract import CONTRACT
from tests.unit.gateway.hundred_ms.fixtures import ADA, BEN, RECORDING_ID, native_connection
from tests.unit.gateway.signalwire.fixtures import EARLIER, LATER, ROOM_ID, SESSION_ID, native_session

OF_SESSION = {
    "room_id": ROOM_ID,
    "room_name": "standup",
    "session_id": SESSION_ID,
    "template_id": "p-1",
    "session_started_at": EARLIER,
}
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
    "user_id": "ada-7",
    "user_name": "Ada",
    "role": "guest",
    "joined_at": EARLIER,
}
TRACK = {
    "connection_id": ADA,
    "participant_sid": "PA_ada",
    "user_id": "u-7",
    "track_sid": "TR_1",
    "type": "video",
    "source": "screen_share",
    "occurred_at": LATER,
}
FILE = {
    "recording_id": RECORDING_ID,
    "name": "Recording",
    "status": "completed",
    "duration": 90,
    "file_size": 1000,
    "error": None,
    "created_at": EARLIER,
    "updated_at": LATER,
}


def native_event(event_name: str, /, **data: object) -> dict[str, Any]:
    return {"id": new_id(), "name": event_name, "kind": "event", "at": LATER, "actor": None, "data": data}


def shown(*events: dict[str, Any]) -> list[dict[str, Any]]:
    connections = {ADA: native_connection()}
    return list(analytics_events(events, native_session(preset={"id": "p-1"}), connections))


@pytest.mark.parametrize(
    ("name", "data", "kind", "fields"),
    [
        ("session.started.v1", {}, "session.open.success", {}),
        (
            "session.ended.v1",
            {"ended_at": LATER},
            "session.close.success",
            {"session_stopped_at": LATER, "session_duration": 90},
        ),
        ("participant.joined.v1", WHO, "peer.join.success", PEER),
        (
            "participant.left.v1",
            WHO | {"left_at": LATER, "reason": "client_initiated"},
            "peer.leave.success",
            PEER | {"left_at": LATER, "duration": 90, "reason": "client request"},
        ),
        (
            "participant.connection_aborted.v1",
            WHO | {"external_user_id": None, "left_at": LATER, "reason": None},
            "peer.join.failure",
            PEER | {"user_id": "u-7", "left_at": LATER, "duration": 90, "reason": "websocket closed"},
        ),
        (
            "track.published.v1",
            TRACK,
            "track.add.success",
            PEER
            | {
                "role": "host",
                "track_id": "TR_1",
                "stream_id": "PA_ada",
                "type": "video",
                "source": "screen",
                "started_at": LATER,
            },
        ),
        # Of somebody whose connection is not known.
        (
            "track.unpublished.v1",
            TRACK | {"connection_id": BEN, "type": "audio", "source": "microphone"},
            "track.remove.success",
            {
                "peer_id": BEN,
                "user_id": "u-7",
                "track_id": "TR_1",
                "stream_id": "PA_ada",
                "type": "audio",
                "source": "regular",
                "stopped_at": LATER,
            },
        ),
        (
            "recording.changed.v1",
            FILE,
            "beam.recording.success",
            {
                "beam_id": RECORDING_ID,
                "recording_id": RECORDING_ID,
                "duration": 90,
                "size": 1000,
                "created_at": EARLIER,
            },
        ),
        (
            "stream.changed.v1",
            {"status": "active", "error": None},
            "hls.started.success",
            {"beam_id": SESSION_ID},
        ),
        (
            "stream.changed.v1",
            {"status": "failed", "error": "why"},
            "hls.failure",
            {"beam_id": SESSION_ID, "error": "why"},
        ),
    ],
)
def test_an_event_has_its_type_and_published_data(
    name: str, data: dict[str, object], kind: str, fields: dict[str, object]
) -> None:
    native = native_event(name, **data)
    [event] = shown(native)
    assert event.pop("data") == OF_SESSION | fields
    assert event == {"version": "2.0", "id": native["id"], "timestamp": LATER, "type": kind}
    assert needs_connections(native) == name.startswith("track")


def test_a_state_that_is_told_again_is_shown_once() -> None:
    statuses = ["starting", "active", "active", "ending", "ended", "active", "ended"]
    stream = [native_event("stream.changed.v1", status=one, error=None) for one in statuses]
    recording = [
        native_event("recording.changed.v1", **FILE | {"status": one})
        for one in ("recording", "recording", "completed", "completed")
    ]
    mixed = [one for pair in zip(stream, recording, strict=False) for one in pair] + stream[4:]
    assert [event["type"] for event in shown(*mixed)] == [
        "beam.started.success",
        "hls.started.success",
        "beam.recording.success",
        "hls.stopped.success",
        "hls.started.success",
        "hls.stopped.success",
    ]


@pytest.mark.parametrize("reason", ["participant_removed", "room_deleted", "unknown_reason", None])
def test_reasons_of_leaving_are_published_ones(reason: str | None) -> None:
    [event] = shown(native_event("participant.left.v1", **WHO, left_at=LATER, reason=reason))
    assert event["data"]["reason"] in CONTRACT["webhooks"]["peer_leave_reasons"]


def test_events_are_asked_for_by_their_types() -> None:
    assert wanted_types(None, failures=False) == sorted(EVENT_TYPES)
    assert wanted_types(["hls.failure", "unknown"], failures=False) == ["hls.failure"]
    assert wanted_types(["hls.failure", "peer.join.success"], failures=True) == ["hls.failure"]
    assert wanted_types(["unknown"], failures=False) == []


def test_the_types_are_published_ones_of_events_that_hosts_are_shown() -> None:
    webhooks = CONTRACT["webhooks"]
    tracks = {"track.add.success", "track.remove.success"}
    assert EVENT_TYPES.keys() - tracks <= {*webhooks["events"], *webhooks["other_event_names"]}
    assert {name for name, _ in EVENT_TYPES.values()} <= VIEWS.keys()
