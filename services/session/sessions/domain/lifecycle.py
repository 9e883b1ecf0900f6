"""When a session ends or expires automatically: by the presence of its hosts, and by time. Pure."""

from collections.abc import Sequence
from datetime import datetime

from services.session.sessions.domain.presence import HostConnection, corrected, hostless_since, next_check
from services.session.sessions.domain.session import Limits, Session
from shared.contracts.event import Event
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.session_events import SessionExpired
from shared.contracts.states import EndReason, SessionStatus


def host_joined(
    session: Session, sid: str, at: datetime, limits: Limits, *, room_sid: str | None = None
) -> Sequence[Event]:
    connection = session.hosts.setdefault(sid, HostConnection())
    connection.joined_at, connection.room_sid = at, room_sid
    return _presence_changed(session, limits)


def host_left(
    session: Session, sid: str, joined_at: datetime, at: datetime, limits: Limits
) -> Sequence[Event]:
    connection = session.hosts.setdefault(sid, HostConnection(joined_at=joined_at))
    connection.leave(at)
    return _presence_changed(session, limits)


def follow_roster(session: Session, roster: RosterObserved, limits: Limits) -> Sequence[Event]:
    """Correct the host's connections by what LiveKit itself shows."""
    if not session.is_live:
        return []
    session.hosts = corrected(session.hosts, roster)
    return _presence_changed(session, limits)


def lose_room(session: Session, now: datetime, last_seen_at: datetime) -> Sequence[Event]:
    """End when it was last seen alive, unless the host has been back since."""
    joined = [one.joined_at for one in session.hosts.values() if one.is_open and one.joined_at]
    if not session.is_live or any(at > last_seen_at for at in joined):
        return []
    started_at = session.started_at or now
    return session.end(now, EndReason.ROOM_LOST, at=min(now, max(started_at, last_seen_at)))


def apply_timeouts(session: Session, now: datetime, limits: Limits) -> Sequence[Event]:
    """End or expire the session if it is time to; called when `due_at` has come."""
    if session.due_at is None or now < session.due_at:
        return []
    if session.status is SessionStatus.SCHEDULED:
        return _expire(session, now)
    if session.started_at is None or now >= session.started_at + limits.max_duration:
        return session.end(now, EndReason.MAX_DURATION)
    since = hostless_since(session.hosts, session.started_at)
    if since is not None and now >= since + limits.no_host_grace:
        return session.end(now, EndReason.NO_HOST)
    return _presence_changed(session, limits)


def _presence_changed(session: Session, limits: Limits) -> Sequence[Event]:
    if session.is_live and session.started_at:
        session.due_at = next_check(
            session.hosts, session.started_at, limits.no_host_grace, limits.max_duration
        )
    return []


def _expire(session: Session, now: datetime) -> Sequence[Event]:
    session.status = SessionStatus.EXPIRED
    session.due_at = None
    session.updated_at = now
    return [SessionExpired(session=session.state())]
