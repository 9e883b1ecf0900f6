"""Recomputing a session from its presences: who attends, and how large the audience is.

Replicas may recompute the same session at once. Whoever stores reads the version first and the
facts after it, so that a result from older facts always meets a newer version and is dropped.
"""

from services.attendance.attendances.domain import Attendee, attend, intervals_of, peak
from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.audiences.repository import AudienceRepository, Decision
from services.attendance.presence.leaves import LeaveRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.sessions.domain import People
from services.attendance.sessions.repository import SessionRepository
from shared.errors import Conflict

# From so many people on, reading the whole session is cheaper than picking them.
_MANY = 2500
_ATTEMPTS = 10


class Derivation:
    def __init__(
        self,
        sessions: SessionRepository,
        presences: PresenceRepository,
        attendances: AttendanceRepository,
        audiences: AudienceRepository,
        leaves: LeaveRepository,
    ):
        self._sessions = sessions
        self._presences = presences
        self._attendances = attendances
        self._audiences = audiences
        self._leaves = leaves

    async def recompute(self, session_id: str, people: People) -> set[str]:
        """Bring up to date who attends, for these people (None: everyone), and the audience.

        Returns those for whom somebody else was faster: they have to be recomputed again.
        """
        conflicts = set() if people is not None and not people else await self._attend(session_id, people)
        await self._count(session_id)
        session = await self._sessions.find(session_id)
        if session is None or not session.deleted:
            return conflicts
        await self._purge(session_id)
        return set()

    async def _attend(self, session_id: str, people: People) -> set[str]:
        """Returns whose attendance could not be stored."""
        read = None if people is None or len(people) > _MANY else people
        before = await self._attendances.of_people(session_id, read)
        session = await self._sessions.find(session_id)
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
        """Store the session's numbers; raises `Conflict` where others keep storing theirs."""
        for _ in range(_ATTEMPTS):
            audience = await self._audiences.seen(session_id)
            if await self._audiences.save(audience, await self._decision(session_id)):
                return
        raise Conflict("The viewer count is being updated by others", code="concurrent_change")

    async def _decision(self, session_id: str) -> Decision:
        """What the numbers are now, as a change to the audience."""
        session = await self._sessions.find(session_id)
        if session is None or session.ended_at is None:
            staff = session.staff if session else frozenset()
            viewers = await self._presences.count_watching(session_id, without=staff)
            return lambda audience: audience.count(viewers)
        presences = await self._presences.by_person(session_id, None)
        most = peak(intervals_of(user, mine, session) for user, mine in presences.items())
        return lambda audience: audience.settle(most)

    async def _purge(self, session_id: str) -> None:
        await self._presences.remove_session(session_id)
        await self._attendances.remove_session(session_id)
        await self._leaves.remove_session(session_id)
        await self._audiences.forget(session_id)
