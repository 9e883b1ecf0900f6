"""Letting somebody into a session by a token, in the role that it names. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.session.sessions.domain.roles import RoleGrant, grant_role
from services.session.sessions.domain.session import Session
from services.session.sessions.domain.stage import release_seat, reserve_seat
from shared.access.session_access import require_not_banned
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import StageSeat
from shared.livekit.join_terms import LEEWAY

# A join is reported a little later.
_REPORTED_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Who gets a token that lets them in before `ends_at`; a `seat` is their reserved place on stage."""

    grant: RoleGrant
    seat: StageSeat | None = None
    ends_at: datetime

    @property
    def until(self) -> datetime:
        """How long a pending session waits for them."""
        return self.ends_at + LEEWAY + _REPORTED_WITHIN


def admit(session: Session, now: datetime, admission: Admission) -> Sequence[Event]:
    """Give the person their role, in place of another; a pending session waits for them.

    Raises `Forbidden` for banned people, and as `grant_role` and `reserve_seat`.
    """
    person, seat = admission.grant, admission.seat
    require_not_banned(session, person.user_id, person.device_id)
    granted = bool(grant_role(session, now, person))
    seated = reserve_seat(session, person.user_id, seat) if seat else release_seat(session, person.user_id)
    if session.is_pending:
        session.due_at = max(session.due_at or admission.until, admission.until)
    if not (granted or seated):
        return []
    session.updated_at = now
    return [SessionUpdated(session=session.state())]
