"""Dashboards across the services: the events between them, and the life of sessions."""

from __future__ import annotations

from typing import Final

from deploy.documents.dashboards.grafana import Dashboard, PanelRow
from deploy.documents.dashboards.panels import level, p95, rates, sums, times
from deploy.documents.dashboards.services import STREAM_STATES

_HANDLING: Final = "greenroom_bus_handling_seconds"
_REQUESTS: Final = "greenroom_http_request_seconds"
_GATEWAY: Final = 'job="gateway"'


def events() -> Dashboard:
    """From a change in a database to the last handler."""
    stored = ["job", "collection"]
    published = PanelRow(
        "From the databases to the broker",
        [
            rates("Events published", "greenroom_bus_published_total", by=["event"]),
            level("Oldest event not published", "greenroom_outbox_oldest_seconds", by=stored, unit="s"),
            level("Documents with unpublished events", "greenroom_outbox_waiting", by=stored),
            rates("Published from each collection", "greenroom_outbox_published_total", by=["collection"]),
            rates("Publishing that failed", "greenroom_bus_publish_failed_total", by=["job", "reason"]),
            rates("Events that nobody wants", "greenroom_bus_unrouted_total", by=["event"]),
        ],
    )
    head = "A queue's head is always in a consumer's hand: this is how far each group is behind."
    age, group = "greenroom_bus_oldest_unacknowledged_seconds", ["group"]
    waiting = PanelRow(
        "In the queues",
        [
            level("Oldest event in hand", age, by=group, unit="s", about=head),
            level("Messages waiting", "greenroom_bus_queue_messages", by=group),
            rates("Delivered again", "greenroom_bus_redelivered_total", by=group),
            p95("From event to handled (p95)", "greenroom_bus_lag_seconds", by=group),
            p95("Events in a batch (p95)", "greenroom_bus_batch_size", by=group, unit="short"),
            level("Dead letters", "greenroom_bus_dead_letters", by=group),
        ],
    )
    failed = ["group", "event", "outcome"]
    handled = PanelRow(
        "Handled",
        [
            rates("By event", "greenroom_bus_handled_total", by=["event"]),
            rates("By group", "greenroom_bus_handled_total", by=group),
            p95("Time of a handler (p95)", _HANDLING, by=["group", "event"]),
            rates("Handlers that failed", f"{_HANDLING}_count", 'outcome!="ok"', by=failed),
            rates("To be tried again", "greenroom_bus_retried_total", by=["group", "reason"]),
            rates("Given up", "greenroom_bus_dead_lettered_total", by=group),
            rates("Unknown to this release", "greenroom_bus_ignored_total", by=group),
        ],
    )
    about = "From a change in a database through RabbitMQ to the last handler."
    return Dashboard("events", "Events", about, [published, waiting, handled])


def session_life() -> Dashboard:
    """What hosts and viewers wait for, in the order in which it happens."""
    about = "From a session's creation to its recording: how long people wait for each step."
    rows = [_started(), _joined(), _streamed(), _ended()]
    return Dashboard("session-life", "Life of a session", about, rows)


def _started() -> PanelRow:
    return PanelRow(
        "Created and started",
        [
            level("Sessions", "greenroom_sessions", by=["state"]),
            rates("Created, started, ended", "greenroom_session_changes_total", by=["change"]),
            times("From creation to start", "greenroom_session_wait_seconds"),
            p95(
                "Requests of hosts (p95)",
                _REQUESTS,
                _GATEWAY,
                _on_session("start|go_live|end"),
                by=["operation"],
            ),
            p95("Opening LiveKit's room (p95)", "greenroom_livekit_call_seconds", 'method="create_room"'),
        ],
    )


def _joined() -> PanelRow:
    in_and_out = 'event=~"participant_(joined|left)"'
    return PanelRow(
        "Joined",
        [
            p95("Join tokens (p95)", _REQUESTS, _GATEWAY, _on_session("join|tokens"), by=["operation"]),
            rates("In and out of rooms", "greenroom_webhooks_total", in_and_out, by=["event"]),
            p95("Age of LiveKit's webhooks (p95)", "greenroom_webhook_age_seconds"),
            times("From a join to the attendance", "greenroom_bus_lag_seconds", 'group="attendance"'),
            level("Viewers", "greenroom_session_viewers"),
            times("Roles and bans in LiveKit's rooms", "greenroom_enforcement_seconds"),
        ],
    )


def _streamed() -> PanelRow:
    asked = 'operation=~"GET /hls/.*"'
    capacity = ("greenroom_recorder_jobs", "jobs"), ("greenroom_recorder_capacity", "at most")
    return PanelRow(
        "Streamed and recorded",
        [
            times("Until there is something to play", "greenroom_stream_start_seconds"),
            level("Streams", "greenroom_streams", STREAM_STATES, by=["status"]),
            rates("Segments stored", "greenroom_recorder_segments_total"),
            rates(
                "Playlists and segments", f"{_REQUESTS}_count", _GATEWAY, asked, by=["status"], unit="reqps"
            ),
            sums("Recorders in use", *capacity),
            sums("Encoders (RTMP)", ("greenroom_relay_encoders", "encoders")),
        ],
    )


def _ended() -> PanelRow:
    return PanelRow(
        "Ended",
        [
            rates("Ends, by reason", "greenroom_session_ends_total", by=["reason"]),
            times("Length of sessions", "greenroom_session_duration_seconds"),
            times("From a recording's end to its file", "greenroom_recording_finish_seconds"),
            rates("Recordings that ended", "greenroom_recordings_finished_total", by=["status"]),
            rates("Corrected afterwards", "greenroom_drift_total", by=["kind"]),
        ],
    )


def _on_session(actions: str) -> str:
    return f'operation=~"POST .*/sessions/[^/]+/({actions})"'
