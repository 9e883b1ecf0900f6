"""A session's attendees as rows, for lists and files."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.attendance.attendances.domain import Attendee, attend
from services.attendance.presence.repository import PresenceRepository
from services.attendance.reports.users import ProjectedUsers
from services.attendance.sessions.domain import SessionView
from shared.access.identity import Caller
from shared.clock import Clock


class AttendanceRow(BaseModel):
    """`watch_duration` in whole seconds; `left_at` is None while the person is there."""

    model_config = ConfigDict(frozen=True)

    id: str
    session_id: str
    user_id: str
    username: str
    email: str | None
    is_guest: bool
    joined_at: datetime
    left_at: datetime | None
    last_seen_at: datetime
    watch_duration: int
    join_count: int


class AttendanceRows:
    def __init__(self, presences: PresenceRepository, users: ProjectedUsers, clock: Clock):
        self._presences = presences
        self._users = users
        self._clock = clock

    async def of(self, session: SessionView, page: Sequence[Attendee], caller: Caller) -> list[AttendanceRow]:
        """A row for each, in order; none for those who turn out to be no viewers.

        E-mail addresses are for the organization's own people, not for a co-host from elsewhere.
        """
        ids = [one.user_id for one in page]
        users = await self._users.find_many(ids)
        presences = await self._presences.by_person(session.id, frozenset(ids))
        with_email = caller.organization_id is not None and caller.organization_id == session.organization_id
        now = self._clock.now()
        rows: list[AttendanceRow] = []
        for one in page:
            summary = attend(one.user_id, presences.get(one.user_id, ()), session)
            # Those who turn out to be no viewers are removed from the store within a second.
            if summary is None:
                continue
            user = users.get(one.user_id)
            row = AttendanceRow(
                id=one.id,
                session_id=one.session_id,
                user_id=one.user_id,
                username=summary.username or (user.username if user else ""),
                email=user.email if user and with_email else None,
                is_guest=user.is_guest if user else False,
                joined_at=summary.joined_at,
                left_at=summary.left_at,
                last_seen_at=summary.left_at or max(now, summary.joined_at),
                watch_duration=summary.watched_ms_until(now) // 1000,
                join_count=summary.join_count,
            )
            rows.append(row)
        return rows
