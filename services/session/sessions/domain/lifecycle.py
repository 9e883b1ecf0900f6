"""When a session ends or expires automatically: by the presence of its hosts, and by time. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from services.session.sessions.domain.presence import (
    HostConnection,
    corrected,
    first_gone,
    hostless_since,
    is_person,
)
from services.session.sessions.domain.session import Limits, Session
from shared.contracts.event import Event
from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import EndReason, SessionStatus

# LiveKit closes an empty room to the second, and a webhook may take one.
_CLOSES_WITHIN = timedelta(seconds=3)


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
    """Correct by what LiveKit itself shows: the host's connections, and whether anybody is there at all."""
    if not session.is_live:
        return []
    session.hosts = corrected(session.hosts, roster)
    closers = session.closers.keys() | {one.user_id for one in roster.connections if one.ends_session}
    session.closers = {
        user_id: corrected(session.closers.get(user_id, {}), roster, partial(_of, user_id))
        for user_id in closers
    }
    if session.is_automatic:
        occupied = any(is_person(one) for one in roster.connections)
        session.emptied_at = None if occupied else session.emptied_at or _left_by(session, roster)
    return _presence_changed(session, limits)


def _of(user_id: str, connection: Connection) -> bool:
    return connection.user_id == user_id and is_person(connection)


def _left_by(session: Session, roster: RosterObserved) -> datetime:
    """When the last of those left who are no longer there; nobody may have joined at all."""
    if roster.departed:
        return max(one.last_seen_at for one in roster.departed)
    return session.last_left_at or roster.observed_at


def somebody_joined(session: Session, at: datetime, limits: Limits) -> Sequence[Event]:
    """An automatic session that seemed empty is not."""
    if session.emptied_at is not None and at > session.emptied_at:
        session.emptied_at = None
    return _presence_changed(session, limits)


def closer_joined(
    session: Session, connection: Connection, room_sid: str | None, limits: Limits
) -> Sequence[Event]:
    """Somebody joined with whose leaving the session ends."""
    one = _closer(session, connection)
    one.joined_at, one.room_sid = connection.joined_at, room_sid
    return _presence_changed(session, limits)


def closer_left(session: Session, connection: Connection, at: datetime, limits: Limits) -> Sequence[Event]:
    _closer(session, connection).leave(at)
    return _presence_changed(session, limits)


def _closer(session: Session, connection: Connection) -> HostConnection:
    theirs = session.closers.setdefault(connection.user_id, {})
    return theirs.setdefault(connection.participant_sid, HostConnection(joined_at=connection.joined_at))


def room_closed(session: Session, now: datetime, closed_at: datetime, limits: Limits) -> Sequence[Event]:
    """LiveKit closed the room of a live session: an automatic one's since everybody has left."""
    if not session.is_live:
        return []
    if not session.is_automatic:
        return session.end(now, EndReason.ROOM_LOST)
    return _end_empty(session, now, closed_at - limits.departure_grace)


def _end_empty(session: Session, now: datetime, since: datetime) -> Sequence[Event]:
    """End an automatic session when its last participant left: as reported, or about `since`."""
    reported = _reported_leave(session, since)
    at = min(now, max(session.started_at or now, reported or since))
    return session.end(now, EndReason.EMPTY, at=at, estimated=reported is None)


def _reported_leave(session: Session, since: datetime) -> datetime | None:
    """When the last participant left, who was gone about `since`; None if that was not reported."""
    at = session.last_left_at
    return at if at is not None and at >= since - _CLOSES_WITHIN else None


def left_already(session: Session, now: datetime, joined_at: datetime) -> Sequence[Event]:
    """End a session whose first participant, and everybody after them, was gone before that was reported."""
    return _end_empty(session, now, joined_at) if session.is_live else []


def correct_end(session: Session, now: datetime) -> Sequence[Event]:
    """The last leave was reported after the session had ended by an estimate of it."""
    if session.end_reason is not EndReason.EMPTY or not session.end_estimated or session.ended_at is None:
        return []
    reported = _reported_leave(session, session.ended_at)
    if reported is None:
        return []
    session.ended_at, session.end_estimated = reported, False
    session.updated_at = now
    return [SessionUpdated(session=session.state())]


def lose_room(session: Session, now: datetime, last_seen_at: datetime) -> Sequence[Event]:
    """End when it was last seen alive, unless the host has been back since."""
    joined = [one.joined_at for one in session.hosts.values() if one.is_open and one.joined_at]
    if not session.is_live or any(at > last_seen_at for at in joined):
        return []
    started_at = session.started_at or now
    at = min(now, max(started_at, last_seen_at))
    return session.end(now, EndReason.ROOM_LOST, at=at, estimated=True)


def apply_timeouts(session: Session, now: datetime, limits: Limits) -> Sequence[Event]:
    """End or expire the session if it is time to; called when `due_at` has come."""
    if session.due_at is None or now < session.due_at:
        return []
    if session.status is SessionStatus.SCHEDULED:
        return session.expire(now)
    if session.started_at is None or now >= session.started_at + limits.max_duration:
        return session.end(now, EndReason.MAX_DURATION)
    closer_gone = first_gone(session.closers.values())
    if closer_gone is not None and now >= closer_gone + limits.departure_grace:
        return session.end(now, EndReason.MEMBER_LEFT, at=max(session.started_at, closer_gone))
    return _end_alone(session, now, session.started_at, limits) or _presence_changed(session, limits)


def _end_alone(session: Session, now: datetime, started_at: datetime, limits: Limits) -> Sequence[Event]:
    """End without a host, or, an automatic session, with nobody in it."""
    alone = session.emptied_at if session.is_automatic else hostless_since(session.hosts, started_at)
    if alone is None or now < alone + limits.no_host_grace:
        return []
    if session.is_automatic:
        return _end_empty(session, now, alone)
    return session.end(now, EndReason.NO_HOST)


def _presence_changed(session: Session, limits: Limits) -> Sequence[Event]:
    session.schedule_check(limits)
    return []
