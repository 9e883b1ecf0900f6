"""What the metrics say of sessions: how many there are, and what becomes of them."""

from collections.abc import Awaitable, Callable

from prometheus_client import Gauge, Histogram

from shared.contracts.session_events import (
    SESSION_EVENTS,
    SessionEnded,
    SessionEvent,
    SessionStarted,
    SessionUpdated,
)
from shared.contracts.states import EndReason
from shared.runtime.metrics import LabelledCounter

_SESSIONS = Gauge(
    "greenroom_sessions",
    "Sessions that are live, or pending: automatic ones that nobody has joined",
    ["state"],
)
_VIEWERS = Gauge("greenroom_session_viewers", "People who watch live sessions")
# "session.started.v1" is counted as "started".
_COUNTED = {event: event.name.split(".")[1] for event in SESSION_EVENTS if event is not SessionUpdated}
_CHANGES = LabelledCounter(
    "greenroom_session_changes", "Sessions created, started, ended and so on", "change", _COUNTED.values()
)
_ENDS = LabelledCounter("greenroom_session_ends", "Sessions that ended, by reason", "reason", EndReason)
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


def count(event: SessionEvent) -> None:
    """It was stored."""
    session, change = event.session, _COUNTED.get(type(event))
    if change is not None:
        _CHANGES.counts[change] += 1
    if isinstance(event, SessionStarted) and session.started_at is not None:
        _WAIT.observe((session.started_at - session.created_at).total_seconds())
    if isinstance(event, SessionEnded) and session.started_at is not None and session.ended_at is not None:
        _DURATION.observe((session.ended_at - session.started_at).total_seconds())
    if isinstance(event, SessionEnded) and session.end_reason is not None:
        _ENDS.counts[session.end_reason] += 1


async def report(count_live_and_pending: Callable[[], Awaitable[tuple[int, int, int]]]) -> None:
    """Every replica reports all sessions: the maximum counts."""
    live, viewers, pending = await count_live_and_pending()
    _SESSIONS.labels("live").set(live)
    _SESSIONS.labels("pending").set(pending)
    _VIEWERS.set(viewers)
