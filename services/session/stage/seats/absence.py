"""Places on stage of absent people, freed after a grace period, and of people who were removed.

Only events of people on stage are stored; the audience's joins and leaves are not.
"""

from collections.abc import Callable, Sequence

from services.session.sessions.domain import stage
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from services.session.stage.seats.guests import Guests
from shared.clock import Clock
from shared.contracts.attendance_events import ParticipantLeaveRequested
from shared.contracts.event import Event
from shared.contracts.livekit_events import ParticipantConnectionAborted, ParticipantLeft
from shared.contracts.reconciler_events import REMOVED_FROM_ROOM, DriftRepaired, RosterObserved
from shared.errors import NotFound

_AT_ONCE = 100
# The kind of the drift ledger's entries about tracks that were not what they declared.
_FALSE_TRACKS = "track"


class Absence:
    def __init__(self, sessions: SessionRepository, guests: Guests, clock: Clock):
        self._sessions = sessions
        self._guests = guests
        self._clock = clock

    async def left(self, event: ParticipantLeft | ParticipantConnectionAborted) -> None:
        """Somebody's connection ended: if they are on stage, look after the grace whether they are back."""
        user_id = event.connection.user_id
        if user_id in await self._sessions.on_stage(event.session_id):
            await self._change(
                event.session_id, lambda session: stage.mark_left(session, user_id, event.occurred_at)
            )

    async def leave(self, event: ParticipantLeaveRequested) -> None:
        """People who leave give up their place immediately, unless another device of theirs stays."""
        session_id, user_id = event.session_id, event.user_id
        if user_id not in await self._sessions.on_stage(session_id):
            return
        if user_id not in await self._guests.present(session_id, without=event.identity):
            await self._change(
                session_id, lambda session: stage.leave_seat(session, self._clock.now(), user_id)
            )

    async def removed(self, event: DriftRepaired) -> None:
        """Somebody was disconnected for false tracks: they lose the place that they had then."""
        if event.kind != _FALSE_TRACKS or event.action != REMOVED_FROM_ROOM or event.user_id is None:
            return
        user_id, at = event.user_id, event.repaired_at

        def decide(session: Session) -> Sequence[Event]:
            seat = session.stage.get(user_id)
            if seat is None or seat.joined_stage_at > at:
                return []
            return stage.free_seat(session, self._clock.now(), user_id)

        await self._change(event.session_id, decide)

    async def follow_roster(self, event: RosterObserved) -> None:
        """A leave that was not reported."""
        present = {one.user_id for one in event.connections}
        if await self._sessions.on_stage(event.session_id) - present:
            await self._change(
                event.session_id, lambda session: stage.mark_absent(session, self._clock.now(), present)
            )

    async def apply_due_timeouts(self) -> None:
        """Free the places of those who stayed away. Raises `Unavailable`."""
        for session_id in await self._sessions.ids_with_absent(self._clock.now(), _AT_ONCE):
            await self._free_absent_seats(session_id)

    async def _free_absent_seats(self, session_id: str) -> None:
        present = await self._guests.present(session_id)
        await self._change(
            session_id, lambda session: stage.free_absent_seats(session, self._clock.now(), present)
        )

    async def _change(self, session_id: str, decide: Callable[[Session], Sequence[Event]]) -> None:
        """Change a session; one that is deleted has no stage."""
        try:
            await self._sessions.change(session_id, decide)
        except NotFound:
            return
