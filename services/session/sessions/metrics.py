"""What the metrics say of sessions: how many there are, and what becomes of them."""

from collections.abc import Awaitable, Callable

from prometheus_client import Counter, Gauge, Histogram

from shared.contracts.session_events import (
    SESSION_EVENTS,
    SessionEnded,
    SessionEvent,
    SessionStarted,
    SessionUpdated,
)

_SESSIONS = Gauge(
    "greenroom_sessions",
    "Sessions that are live, or pending: automatic ones that nobody has joined",
    ["state"],
)
_VIEWERS = Gauge("greenroom_session_viewers", "People who watch live sessions")
_CHANGES = Counter(
    "greenroom_session_changes_total", "Sessions created, started, ended and so on", ["change"]
)
_ENDS = Counter("greenroom_session_ends_total", "Sessions that ended, by reason", ["reason"])
_WAIT = Histogram(
    "greenroom_session_wait_seconds",
    "From a session's creation to its start",
    buckets=(1, 5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600),
)
_DURATION = Histogram(
    "greenroom_session_duration_seconds",
    "From a session's start to its end",
    buckets=(60, 300, 900, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 24 * 3600),
)
_COUNTED = {
    event: _CHANGES.labels(event.name.split(".")[1])
    for event in SESSION_EVENTS
    if event is not SessionUpdated
}


def count(event: SessionEvent) -> None:
    """It was stored."""
    session, counter = event.session, _COUNTED.get(type(event))
    if counter is not None:
        counter.inc()
    if isinstance(event, SessionStarted) and session.started_at is not None:
        _WAIT.observe((session.started_at - session.created_at).total_seconds())
    if isinstance(event, SessionEnded) and session.started_at is not None and session.ended_at is not None:
        _DURATION.observe((session.ended_at - session.started_at).total_seconds())
        _ENDS.labels(session.end_reason or "unknown").inc()


async def report(count_live_and_pending: Callable[[], Awaitable[tuple[int, int, int]]]) -> None:
    """Every replica reports all sessions: the maximum counts."""
    live, viewers, pending = await count_live_and_pending()
    _SESSIONS.labels("live").set(live)
    _SESSIONS.labels("pending").set(pending)
    _VIEWERS.set(viewers)
