"""Presence: what connections report, and what their people ask for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from services.attendance.presence.domain import ConnectionUpdate, Presence
from services.attendance.presence.leave_requests import LeaveRequestRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.sessions.domain import People, SessionView, affected
from services.attendance.sessions.projection import AttendanceSessionProjection
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.livekit_events import ParticipantEvent
from shared.contracts.reconciler_events import RosterObserved
from shared.ids import is_id

# Longer lists are no use to people; `total` counts everybody.
_CONNECTIONS_SHOWN = 1000


class RecomputeRequests(Protocol):
    """Where whatever changes presence marks whose attendance it affects."""

    async def mark(self, people_of: Mapping[str, People]) -> None:
        """Have these people of these sessions recomputed, also if this process dies now."""
        ...


@dataclass(frozen=True)
class ActiveViewers:
    """Presences of different people, the first to join first, and how many people there are in all."""

    session: SessionView
    presences: list[Presence]
    total: int


class SessionChanges:
    """Follows the projected sessions: marks whose attendance a newer state affects."""

    def __init__(self, presences: PresenceRepository, requests: RecomputeRequests):
        self._presences = presences
        self._requests = requests

    async def changed(self, before: Mapping[str, SessionView], after: Mapping[str, SessionView]) -> None:
        for id_, session in after.items():
            # Users who joined in spite of a ban were no viewers, also once the ban is lifted.
            known = before[id_].banned if id_ in before else {}
            banned = {user: since for user, since in session.banned.items() if user not in known}
            await self._presences.exclude(id_, banned)
        touched = {id_: affected(before.get(id_), session) for id_, session in after.items()}
        # Read after the sessions are stored: whoever joins later is recomputed with them.
        new = {id_ for id_, session in after.items() if id_ not in before and not session.deleted}
        unseen = new - await self._presences.sessions_among(sorted(new))
        await self._requests.mark(
            {
                id_: people
                for id_, people in touched.items()
                if (people is None or people) and id_ not in unseen
            }
        )


class PresenceService:
    def __init__(
        self,
        presences: PresenceRepository,
        leave_requests: LeaveRequestRepository,
        sessions: AttendanceSessionProjection,
        requests: RecomputeRequests,
        clock: Clock,
    ):
        self._presences = presences
        self._leave_requests = leave_requests
        self._sessions = sessions
        self._requests = requests
        self._clock = clock

    async def record(self, events: Iterable[ParticipantEvent]) -> None:
        """Record what connections did; rooms that are no sessions of ours are ignored."""
        merged: dict[str, ConnectionUpdate] = {}
        for event in events:
            if is_id(event.session_id):
                update = ConnectionUpdate.of(event)
                merged[update.id] = merged[update.id].merged(update) if update.id in merged else update
        sessions = await self._sessions.known({update.session_id for update in merged.values()})
        updates = [update.under(sessions.get(update.session_id)) for update in merged.values()]
        known = {update.id for update in await self._presences.record(updates)}
        people: dict[str, set[str]] = {}
        for update in updates:
            mere_end = update.id in known and update.only_closes
            if mere_end and update.is_after(sessions.get(update.session_id)):
                continue
            people.setdefault(update.session_id, set()).update([] if mere_end else [update.user_id])
        await self._requests.mark(people)

    async def correct(self, rosters: Iterable[RosterObserved]) -> None:
        """Open and close what webhooks did not report, as far as LiveKit's own lists show it."""
        for roster in rosters:
            session = await self._sessions.stored(roster.session_id)
            if session is None or not session.over:
                await self._correct(roster, session)

    async def _correct(self, roster: RosterObserved, session: SessionView | None) -> None:
        open_ = await self._presences.open_in(roster.session_id, roster.room_sid)
        appeared = [
            ConnectionUpdate.seen(roster, one).under(session)
            for one in roster.connections
            if one.active and one.participant_sid not in open_
        ]
        gone = roster.left(open_)
        if not appeared and not gone:
            return
        known = await self._presences.record(appeared)
        await self._presences.reopen([update.id for update in known], roster.observed_at)
        await self._presences.presume_left(gone)
        await self._requests.mark({roster.session_id: {update.user_id for update in appeared}})

    async def leave(self, session_id: str, caller: Caller) -> None:
        """End the caller's intervals of this sign-in now, and have LiveKit drop its connection.

        Also if none is known: the event of its joining may still be on the way.
        """
        session = await self._sessions.authorize(session_id, caller)
        if session.over:
            return
        now = self._clock.now()
        await self._presences.close(session_id, caller.user_id, caller.identity, now)
        await self._requests.mark({session_id: frozenset()})
        await self._leave_requests.request(session_id, caller, now)

    async def viewers(self, session_id: str, caller: Caller) -> ActiveViewers:
        """Who is there now: of at most 1,000 connections, and how many in all.

        Raises `Forbidden` if the session does not let the caller see them.
        """
        session = await self._sessions.authorize(session_id, caller, permission="see_viewers")
        if session.over:
            return ActiveViewers(session, [], 0)
        found = await self._presences.watching(session_id, limit=_CONNECTIONS_SHOWN)
        people: dict[str, Presence] = {}
        for one in found:
            if one.user_id not in session.staff:
                people.setdefault(one.user_id, one)
        total = len(people)
        if len(found) == _CONNECTIONS_SHOWN:
            total = await self._presences.count_watching(session_id, without=session.staff)
        return ActiveViewers(session, list(people.values()), total)
