"""Recomputing a session from its presences: who attends, and how many watch.

Replicas may recompute the same session concurrently. Each reads the stored version first and the presences
after it, so that a result from older presences always meets a newer version and is dropped.
"""

from services.attendance.attendances.domain import Attendee, attend, intervals_of, peak
from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.presence.leave_requests import LeaveRequestRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.sessions.domain import People
from services.attendance.sessions.projection import AttendanceSessionProjection
from services.attendance.viewer_counts.repository import Decision, ViewerCountRepository
from shared.errors import Conflict

# From so many people on, reading the whole session is cheaper than picking them.
_MANY = 2500
_ATTEMPTS = 10


class AttendanceRecompute:
    def __init__(
        self,
        sessions: AttendanceSessionProjection,
        presences: PresenceRepository,
        attendances: AttendanceRepository,
        viewer_counts: ViewerCountRepository,
        leave_requests: LeaveRequestRepository,
    ):
        self._sessions = sessions
        self._presences = presences
        self._attendances = attendances
        self._viewer_counts = viewer_counts
        self._leave_requests = leave_requests

    async def recompute(self, session_id: str, people: People) -> set[str]:
        """Bring up to date who attends, for these people (None: everyone), and the viewer count.

        Returns those for whom somebody else was faster: they have to be recomputed again.
        """
        conflicts = set() if people is not None and not people else await self._attend(session_id, people)
        await self._count(session_id)
        session = await self._sessions.stored(session_id)
        if session is None or not session.deleted:
            return conflicts
        await self._presences.remove_session(session_id)
        await self._attendances.remove_session(session_id)
        await self._leave_requests.remove_session(session_id)
        # Without an event: nobody asks for the numbers of a deleted session.
        await self._viewer_counts.discard(session_id)
        return set()

    async def _attend(self, session_id: str, people: People) -> set[str]:
        """Returns whose attendance could not be stored."""
        read = None if people is None or len(people) > _MANY else people
        before = await self._attendances.of_people(session_id, read)
        session = await self._sessions.stored(session_id)
        presences = await self._presences.by_person(session_id, read)
        stale: list[Attendee] = []
        fresh: list[Attendee] = []
        for user in before.keys() | presences.keys() if people is None else people:
            stored, now = before.get(user), attend(user, presences.get(user, ()), session)
            if now is None:
                stale.extend([stored] if stored else [])
                continue
            version = stored.version if stored else 0
            attendee = Attendee(session_id, user, now.username, now.joined_at, version)
            fresh.extend([attendee] if attendee != stored else [])
        await self._attendances.remove(stale)
        return await self._attendances.save(fresh)

    async def _count(self, session_id: str) -> None:
        """Store the session's numbers; raises `Conflict` if others keep storing theirs."""
        for _ in range(_ATTEMPTS):
            seen = await self._viewer_counts.seen(session_id)
            if await self._viewer_counts.save(seen, await self._decision(session_id)):
                return
        raise Conflict("The viewer count is being updated by others", code="concurrent_change")

    async def _decision(self, session_id: str) -> Decision:
        """What the numbers are now, as a change to the stored count."""
        session = await self._sessions.stored(session_id)
        if session is None or session.ended_at is None:
            staff = session.staff if session else frozenset()
            viewers = await self._presences.count_watching(session_id, without=staff)
            return lambda count: count.count(viewers)
        presences = await self._presences.by_person(session_id, None)
        most = peak(intervals_of(user, mine, session) for user, mine in presences.items())
        return lambda count: count.finalize(most)
