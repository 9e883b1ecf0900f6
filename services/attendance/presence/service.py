"""Presence: what connections tell, and what their people ask for."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from services.attendance.attendances.domain import attendance_id
from services.attendance.audiences.changes import Changes
from services.attendance.presence.domain import Fact, Presence
from services.attendance.presence.leaves import LeaveRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.presence.rosters import correction
from services.attendance.presence.schemas import ActiveViewerResponse, ActiveViewersResponse
from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.service import SessionViews
from shared.access.identity import Caller
from shared.access.session_access import require
from shared.clock import Clock
from shared.contracts.livekit_events import ParticipantEvent
from shared.contracts.roster_events import RosterObserved
from shared.ids import is_id

# A room full of names is no list for people any more; `total` tells how many there are.
_CONNECTIONS_SHOWN = 1000


class PresenceService:
    def __init__(
        self,
        presences: PresenceRepository,
        leaves: LeaveRepository,
        sessions: SessionViews,
        changes: Changes,
        clock: Clock,
    ):
        self._presences = presences
        self._leaves = leaves
        self._sessions = sessions
        self._changes = changes
        self._clock = clock

    async def record(self, events: Iterable[ParticipantEvent]) -> None:
        """Take in what connections did; rooms that are no sessions of ours are passed over."""
        facts = _merged(Fact.of(event) for event in events if is_id(event.session_id))
        views = await self._sessions.known({fact.session_id for fact in facts})
        facts = [fact.under(views.get(fact.session_id)) for fact in facts]
        known = {fact.id for fact in await self._presences.record(facts)}
        people: dict[str, set[str]] = {}
        for fact in facts:
            mere_end = fact.id in known and fact.only_closes
            if mere_end and fact.is_after(views.get(fact.session_id)):
                continue
            people.setdefault(fact.session_id, set()).update([] if mere_end else [fact.user_id])
        await self._changes.mark(people)

    async def correct(self, rosters: Iterable[RosterObserved]) -> None:
        """Open and close what webhooks did not tell of, as far as LiveKit's own lists show it."""
        for roster in rosters:
            view = (await self._sessions.known({roster.session_id})).get(roster.session_id)
            if view is None or not view.over:
                await self._correct(roster, view)

    async def _correct(self, roster: RosterObserved, view: SessionView | None) -> None:
        found = correction(roster, await self._presences.open_in(roster.session_id, roster.room_sid))
        if not found.appeared and not found.gone:
            return
        known = await self._presences.record([fact.under(view) for fact in found.appeared])
        await self._presences.reopen([fact.id for fact in known], roster.observed_at)
        await self._presences.presume_left(found.gone)
        await self._changes.mark({roster.session_id: {fact.user_id for fact in found.appeared}})

    async def leave(self, session_id: str, caller: Caller) -> None:
        """End the caller's intervals of this sign-in now, and have LiveKit drop its connection.

        Also where none is known: the news of its joining may still be on the way.
        """
        session = await self._sessions.get(session_id)
        if session.over:
            return
        now = self._clock.now()
        await self._presences.close(session_id, caller.user_id, caller.identity, now)
        await self._changes.mark({session_id: frozenset()})
        await self._leaves.request(session_id, caller, now)

    async def viewers(self, session_id: str, caller: Caller) -> ActiveViewersResponse:
        """Who is there now, the first to join first: of at most 1,000 connections, and how many in all.

        Raises `Forbidden` where the session does not let the caller see them.
        """
        session = await self._sessions.get(session_id)
        require(session, session.preset, caller, None, "see_viewers")
        if session.over:
            return ActiveViewersResponse(viewers=[], total=0)
        found = await self._presences.watching(session_id, limit=_CONNECTIONS_SHOWN)
        people: dict[str, Presence] = {}
        for one in found:
            if one.user_id not in session.staff:
                people.setdefault(one.user_id, one)
        total = len(people)
        if len(found) == _CONNECTIONS_SHOWN:
            total = await self._presences.count_watching(session_id, without=session.staff)
        return ActiveViewersResponse(viewers=[_viewer(one, session) for one in people.values()], total=total)


def _merged(facts: Iterable[Fact]) -> list[Fact]:
    """One fact a connection."""
    merged: dict[str, Fact] = {}
    for fact in facts:
        before = merged.get(fact.id)
        merged[fact.id] = before.merged(fact) if before else fact
    return list(merged.values())


def _viewer(presence: Presence, session: SessionView) -> ActiveViewerResponse:
    """A role given in the session outranks the one the person came with."""
    return ActiveViewerResponse(
        id=attendance_id(session.id, presence.user_id),
        user_id=presence.user_id,
        username=presence.username,
        joined_at=presence.joined_at,
        role=session.roles.get(presence.user_id, presence.role),
    )


PRESENCE: Final = web.AppKey("presence", PresenceService)
