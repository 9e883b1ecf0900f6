"""A dashboard for each service."""

from __future__ import annotations

from typing import Final

from deploy.documents.dashboards import sections
from deploy.documents.dashboards.grafana import Dashboard, Panel, PanelQuery, PanelRow
from deploy.documents.dashboards.panels import each, level, p95, rates, sums, times
from deploy.documents.dashboards.queries import rate, ratio

_READS: Final = "greenroom_gateway_cache_reads_total"
_REQUESTS: Final = "greenroom_http_request_seconds"
_GATEWAY: Final = 'job="gateway"'
# The two foreign APIs, by the paths of their operations.
_FOREIGN: Final = 'operation=~"[A-Z]+ /(api/video|v2)/.*"'
# Those that have ended stay until their sessions are deleted.
STREAM_STATES: Final = 'status=~"starting|active|ending|failed"'


def gateway() -> Dashboard:
    alone = "Above 0 while Redis is away: each gateway counts its own requests alone."
    cached = ratio(rate(_READS, 'outcome!="miss"'), rate(_READS))
    guard = PanelRow(
        "Refused and limited",
        [
            rates("Refusals", "greenroom_http_refusals_total", _GATEWAY, by=["code"], unit="reqps"),
            rates("Over a limit", "greenroom_gateway_limited_total", by=["limit"], unit="reqps"),
            rates("Counted without Redis", "greenroom_gateway_counted_alone_total", about=alone),
        ],
    )
    behind = PanelRow(
        "Services and foreign APIs",
        [
            rates(
                "Requests without an answer",
                "greenroom_gateway_upstream_failures_total",
                by=["upstream", "code"],
            ),
            rates("Foreign APIs", f"{_REQUESTS}_count", _GATEWAY, _FOREIGN, by=["operation", "status"]),
            times("Foreign APIs, time to answer", _REQUESTS, _GATEWAY, _FOREIGN),
        ],
    )
    cache = PanelRow(
        "Read cache",
        [
            rates("Reads", _READS, by=["outcome"], unit="reqps", stacked=True),
            Panel("From the cache", "percentunit", [PanelQuery(cached, "hits and shared fetches")]),
            each("Size", "greenroom_gateway_cache_bytes", unit="bytes"),
        ],
    )
    about = "The only door for clients: requests, limits, the read cache."
    rows = [guard, behind, cache]
    return _of_service("gateway", "Gateway", about, rows, [])


def session() -> Dashboard:
    in_line = "After a change of roles, bans or the stage, until LiveKit's room has it."
    sessions = PanelRow(
        "Sessions",
        [
            level("Now", "greenroom_sessions", by=["state"]),
            level("Viewers", "greenroom_session_viewers"),
            rates("Changes", "greenroom_session_changes_total", by=["change"]),
            rates("Ends, by reason", "greenroom_session_ends_total", by=["reason"]),
            times("Rooms brought in line", "greenroom_enforcement_seconds", about=in_line),
            rates("Connections corrected", "greenroom_enforcement_corrections_total"),
            rates("Reminder mails", "greenroom_reminder_mails_total", by=["outcome"]),
        ],
    )
    about = "Accounts, rooms, sessions, chat, polls; what may be done in LiveKit's rooms."
    backends = [sections.events("session"), sections.livekit("session"), sections.database("session")]
    return _of_service("session", "Session service", about, [sessions], backends)


def egress() -> Dashboard:
    ended = "By themselves, while they were wanted; most are taken over."
    media = PanelRow(
        "Streams and recordings",
        [
            level("Streams", "greenroom_streams", STREAM_STATES, by=["status"]),
            rates("Streams that broke off", "greenroom_stream_failures_total", about=ended),
            rates("Streams taken over", "greenroom_stream_takeovers_total"),
            times("Until there is something to play", "greenroom_stream_start_seconds"),
            level("Recordings", "greenroom_recordings", by=["status"], about="Counted to 10,000."),
            rates("Recordings that ended", "greenroom_recordings_finished_total", by=["status"]),
            times("From their end to the stored file", "greenroom_recording_finish_seconds"),
            rates("Deleted by a cleanup", "greenroom_recordings_cleaned_total"),
            rates("Rows without file, files without row", "greenroom_recording_strays_total", by=["kind"]),
        ],
    )
    seconds = "LiveKit gives whole seconds: up to one is usual."
    webhooks = PanelRow(
        "Webhooks and corrections",
        [
            rates("Webhooks", "greenroom_webhooks_total", by=["event"]),
            p95("Age at arrival (p95)", "greenroom_webhook_age_seconds", about=seconds),
            rates("Stored or duplicate", "greenroom_webhooks_total", by=["outcome"]),
            rates("Dropped by LiveKit", "greenroom_webhooks_dropped_total"),
            rates("Corrections, by kind", "greenroom_drift_total", by=["kind"]),
            times("Looking into the rooms", "greenroom_reconcile_seconds"),
        ],
    )
    about = "LiveKit's webhooks, streams, recordings, ingest; what was corrected."
    backends = [sections.events("egress"), sections.livekit("egress"), sections.database("egress")]
    return _of_service("egress", "Egress service", about, [media, webhooks], backends)


def attendance() -> Dashboard:
    recompute = PanelRow(
        "Recomputing",
        [
            sums("Sessions waiting", ("greenroom_attendance_recompute_waiting", "sessions")),
            times("Time for one session", "greenroom_attendance_recompute_seconds"),
            rates("To be repeated", "greenroom_attendance_recompute_failed_total"),
        ],
    )
    about = "Who was there, and how many watch."
    backends = [sections.events("attendance"), sections.database("attendance")]
    return _of_service("attendance", "Attendance service", about, [recompute], backends)


def recorder() -> Dashboard:
    left_out = "A recorder with too many jobs has no time for all of them."
    instance = ["instance"]
    jobs = PanelRow(
        "Recorders",
        [
            sums("Jobs", ("greenroom_recorder_jobs", "jobs"), ("greenroom_recorder_capacity", "at most")),
            rates("Jobs that ended", "greenroom_recorder_jobs_ended_total", by=["status"]),
            rates("Segments stored", "greenroom_recorder_segments_total", by=instance),
            each("Segments on their disks", "greenroom_recorder_segments_waiting"),
            rates(
                "Pictures left out", "greenroom_recorder_pictures_left_out_total", by=instance, about=left_out
            ),
        ],
    )
    relay = PanelRow(
        "Relay of RTMP encoders",
        [
            sums("Encoders", ("greenroom_relay_encoders", "encoders")),
            rates("Relays that ended", "greenroom_relay_ended_total", by=["outcome"]),
        ],
    )
    backends = [sections.livekit("recorder"), sections.database("recorder")]
    processes = [sections.process("recorder"), relay, sections.process("relay")]
    return Dashboard(
        "recorder",
        "Recorders and relay",
        "Where Greenroom's own recorders and its relay make the media.",
        [sections.state("recorder"), jobs, *backends, *processes],
    )


def _of_service(
    name: str, title: str, about: str, own: list[PanelRow], backends: list[PanelRow]
) -> Dashboard:
    rows = [sections.state(name), sections.requests(name), *own, *backends, sections.process(name)]
    return Dashboard(name, title, about, rows)
