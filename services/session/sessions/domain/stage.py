"""The places on a session's stage: pure functions of the session, which keeps them.

So that each decides and counts within the one write of the session: `effective_max_join_limit` holds
however many decide at once.
"""

from collections.abc import Sequence, Set
from datetime import datetime, timedelta

from services.session.sessions.domain.session import Session
from shared.access.permissions import role_of, switches_of
from shared.access.session_access import is_banned_person
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import Role, StageSeat
from shared.errors import Conflict, NotFound

# Reserved places are kept, and so are in the session's document and in each of its events.
MOST_RESERVED = 1000
# How long a place is kept for somebody without a connection to the room.
GRACE = timedelta(seconds=60)

_STAFF = frozenset({Role.HOST, Role.CO_HOST})


def check_open(session: Session) -> None:
    """Raises `Conflict` unless somebody may come on stage now."""
    session.check_live()
    if not switches_of(session, session.preset.settings).stage:
        raise Conflict("The stage is switched off", code="stage_disabled")


def check_needs_seat(session: Session, user_id: str) -> None:
    """Raises `Conflict` for the host and co-hosts, who are always on stage."""
    if role_of(session, user_id) in _STAFF:
        raise Conflict("Hosts and co-hosts need no place on stage", code="needs_no_seat")


def take_seat(
    session: Session, now: datetime, user_id: str, seat: StageSeat, device_id: str | None = None
) -> Sequence[Event]:
    """Put a guest on stage; a guest on stage keeps their place. Raises `Conflict`."""
    check_open(session)
    check_needs_seat(session, user_id)
    if is_banned_person(session, user_id, device_id):
        raise Conflict("This person is banned from the session", code="banned")
    if user_id in session.stage:
        return []
    if len(_guests(session)) >= session.effective_max_join_limit:
        raise Conflict("The stage is full", code="stage_full")
    session.stage = {**session.stage, user_id: seat}
    _check_at(session, {**session.stage_checks, user_id: now + GRACE})
    return _changed(session, now)


def _guests(session: Session) -> list[str]:
    """The places that count; those of people who became co-hosts do not, nor those that are reserved."""
    return [user_id for user_id in _limited(session) if role_of(session, user_id) not in _STAFF]


def _limited(session: Session) -> Set[str]:
    """Whose places on stage are limited in number, and kept only while they are there."""
    return {user_id for user_id, seat in session.stage.items() if not seat.reserved}


def reserve_seat(session: Session, user_id: str, seat: StageSeat) -> bool:
    """Keep a place on stage for somebody, with what they may publish there; whether that is a change.

    For hosts and co-hosts it says what they may publish. Raises `Conflict` if too many are reserved.
    """
    known = session.stage.get(user_id)
    if known is not None:
        update = seat.model_dump(include={"name", "can_publish_audio", "can_publish_video", "reserved"})
        seat = known.model_copy(update=update)
    elif len(session.stage) - len(_limited(session)) >= MOST_RESERVED:
        raise Conflict(f"At most {MOST_RESERVED} people can have a place on stage", code="stage_full")
    session.stage = {**session.stage, user_id: seat}
    return seat != known


def release_seat(session: Session, user_id: str) -> bool:
    """Give up a place on stage that was reserved; whether there was one."""
    reserved = user_id in session.stage.keys() - _limited(session)
    if reserved:
        session.stage = {guest: seat for guest, seat in session.stage.items() if guest != user_id}
    return reserved


def free_seat(
    session: Session, now: datetime, user_id: str, *, request_id: str | None = None
) -> Sequence[Event]:
    """Take a guest off the stage; with `request_id` only from the place which that request was given."""
    seat = session.stage.get(user_id)
    if seat is None or (request_id is not None and seat.request_id != request_id):
        return []
    return _free_seats(session, now, {user_id})


def leave_seat(session: Session, now: datetime, user_id: str) -> Sequence[Event]:
    """Take a guest off the stage who leaves the session; a reserved place waits for them."""
    return free_seat(session, now, user_id) if user_id in _limited(session) else []


def set_permissions(
    session: Session, now: datetime, user_id: str, *, audio: bool | None, video: bool | None
) -> Sequence[Event]:
    """Set what a guest may publish on stage; None keeps. Raises `NotFound` if they are not on stage."""
    seat = session.stage.get(user_id)
    if seat is None:
        raise NotFound("This person is not on stage", code="not_on_stage")
    granted = {"can_publish_audio": audio, "can_publish_video": video}
    changed = seat.model_copy(update={name: value for name, value in granted.items() if value is not None})
    if changed == seat:
        return []
    session.stage = {**session.stage, user_id: changed}
    return _changed(session, now)


def mark_left(session: Session, user_id: str, at: datetime) -> Sequence[Event]:
    """One of the person's connections ended: look after the grace whether they have another."""
    if user_id in _limited(session):
        due = max(at + GRACE, session.stage_checks.get(user_id, at))
        _check_at(session, {**session.stage_checks, user_id: due})
    return []


def mark_absent(session: Session, now: datetime, present: Set[str]) -> Sequence[Event]:
    """The guests who are not in the room, and whose leave was not reported."""
    absent = _limited(session) - present - session.stage_checks.keys()
    if absent:
        _check_at(session, session.stage_checks | dict.fromkeys(sorted(absent), now + GRACE))
    return []


def free_absent_seats(session: Session, now: datetime, present: Set[str]) -> Sequence[Event]:
    """Free the places of guests who are due and not in the room; called at `stage_due_at`."""
    due = {guest for guest, at in session.stage_checks.items() if at <= now}
    if not due:
        return []
    _check_at(session, {guest: at for guest, at in session.stage_checks.items() if guest not in due})
    gone = (due - present) & _limited(session)
    return _free_seats(session, now, gone) if gone else []


def _free_seats(session: Session, now: datetime, gone: Set[str]) -> Sequence[Event]:
    session.stage = {guest: seat for guest, seat in session.stage.items() if guest not in gone}
    _check_at(session, {guest: at for guest, at in session.stage_checks.items() if guest not in gone})
    return _changed(session, now)


def _check_at(session: Session, checks: dict[str, datetime]) -> None:
    session.stage_checks = checks
    session.stage_due_at = min(checks.values(), default=None)


def _changed(session: Session, now: datetime) -> Sequence[Event]:
    session.updated_at = now
    return [SessionUpdated(session=session.state())]
