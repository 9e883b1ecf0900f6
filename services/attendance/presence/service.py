"""Presence: what connections tell, and what their people ask for."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from services.attendance.attendances.domain import Attendance
from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.audiences.changes import Changes
from services.attendance.presence.domain import Fact
from services.attendance.presence.leaves import LeaveRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.presence.schemas import ActiveViewerResponse, ActiveViewersResponse
from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.service import SessionViews
from shared.clock import Clock
from shared.contracts.livekit_events import ParticipantEvent
from shared.identity import Caller
from shared.ids import is_id

# A room full of names is no list for people any more; `total` tells how many there are.
_VIEWERS_SHOWN = 1000


class PresenceService:
    def __init__(
        self,
        presences: PresenceRepository,
        leaves: LeaveRepository,
        attendances: AttendanceRepository,
        sessions: SessionViews,
        changes: Changes,
        clock: Clock,
    ):
        self._presences = presences
        self._leaves = leaves
        self._attendances = attendances
        self._sessions = sessions
        self._changes = changes
        self._clock = clock

    async def record(self, events: Iterable[ParticipantEvent]) -> None:
        """Take in what connections did; rooms that are no sessions of ours are passed over."""
        facts: dict[str, Fact] = {}
        for fact in (Fact.of(event) for event in events if is_id(event.session_id)):
            known = facts.get(fact.id)
            facts[fact.id] = known.merged(fact) if known else fact
        await self._presences.record(list(facts.values()))
        await self._changes.mark(_people(facts.values()))

    async def leave(self, session_id: str, caller: Caller) -> None:
        """End the caller's intervals of this sign-in now, and have LiveKit drop its connection.

        Also where none is known: the news of its joining may still be on the way.
        """
        session = await self._sessions.get(session_id)
        if session.over:
            return
        now = self._clock.now()
        await self._presences.close(session_id, caller.user_id, caller.identity, now)
        await self._changes.mark({session_id: {caller.user_id}})
        await self._leaves.request(session_id, caller, now)

    async def viewers(self, session_id: str) -> ActiveViewersResponse:
        """Who is there now, the first to join first: at most 1,000 of them, and how many they are."""
        session = await self._sessions.get(session_id)
        present = await self._attendances.present(session_id, limit=_VIEWERS_SHOWN)
        total = len(present)
        if total == _VIEWERS_SHOWN:
            total = await self._attendances.count_present(session_id)
        return ActiveViewersResponse(viewers=[_viewer(one, session) for one in present], total=total)


def _people(facts: Iterable[Fact]) -> dict[str, set[str]]:
    """The people of each session that the facts are about."""
    people: dict[str, set[str]] = {}
    for fact in facts:
        people.setdefault(fact.session_id, set()).add(fact.user_id)
    return people


def _viewer(attendance: Attendance, session: SessionView) -> ActiveViewerResponse:
    """A role given in the session outranks the one the person came with."""
    return ActiveViewerResponse(
        id=attendance.id,
        user_id=attendance.user_id,
        username=attendance.username,
        joined_at=attendance.joined_at,
        role=session.roles.get(attendance.user_id, attendance.role),
    )


PRESENCE: Final = web.AppKey("presence", PresenceService)
