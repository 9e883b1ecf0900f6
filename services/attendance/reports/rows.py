"""A session's attendees as rows, for lists and files."""

from collections.abc import Sequence
from datetime import datetime

from services.attendance.attendances.domain import Attendance, Attendee, attend
from services.attendance.presence.repository import PresenceRepository
from services.attendance.reports.schemas import AttendanceResponse
from services.attendance.sessions.domain import SessionView
from services.attendance.users.repository import Person, UserRepository
from shared.clock import Clock


class AttendanceRows:
    def __init__(self, presences: PresenceRepository, users: UserRepository, clock: Clock):
        self._presences = presences
        self._users = users
        self._clock = clock

    async def of(
        self, session: SessionView, page: Sequence[Attendee], *, with_email: bool
    ) -> list[AttendanceResponse]:
        """A row for each, in order; none for who turns out to be no viewer."""
        ids = [one.user_id for one in page]
        people = await self._users.find_many(ids)
        presences = await self._presences.by_person(session.id, frozenset(ids))
        now = self._clock.now()
        rows: list[AttendanceResponse] = []
        for one in page:
            attendance = attend(one.user_id, presences.get(one.user_id, ()), session)
            # Who turns out to be no viewer is taken from the store within a second.
            if attendance is not None:
                rows.append(_row(one, attendance, people.get(one.user_id), now, with_email=with_email))
        return rows


def _row(
    attendee: Attendee, attendance: Attendance, person: Person | None, now: datetime, *, with_email: bool
) -> AttendanceResponse:
    return AttendanceResponse(
        id=attendee.id,
        session_id=attendee.session_id,
        user_id=attendee.user_id,
        username=attendance.username or (person.username if person else ""),
        email=person.email if person and with_email else None,
        is_guest=person.is_guest if person else False,
        joined_at=attendance.joined_at,
        left_at=attendance.left_at,
        last_seen_at=attendance.left_at or max(now, attendance.joined_at),
        watch_duration=attendance.watched_ms_until(now) // 1000,
        join_count=attendance.join_count,
    )
