"""Automatic sessions: they start with the first who joins and end with the last to leave.

Every handler may be repeated, and events may arrive in any order.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from services.session.sessions.domain.lifecycle import (
    closer_joined,
    closer_left,
    correct_end,
    left_already,
    somebody_joined,
)
from services.session.sessions.domain.presence import is_person
from services.session.sessions.domain.session import Limits, Session
from services.session.sessions.livekit_rooms import LiveKitRooms
from services.session.sessions.pending import PendingSessions
from services.session.sessions.repository import SessionRepository
from shared.access.session_access import is_banned_person
from shared.bus import EventHandler, on
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.livekit_events import (
    Connection,
    LiveKitRoomFinished,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.people_and_catalog_events import RoomUpdated
from shared.contracts.reconciler_events import LiveKitRoomLost, RosterObserved
from shared.contracts.session_events import SessionDeleted, SessionExpired
from shared.contracts.states import SessionStatus
from shared.errors import Forbidden, NotFound
from shared.persistence.mongo import Duplicate

log = structlog.get_logger(__name__)


class AutomaticSessions:
    def __init__(
        self,
        sessions: SessionRepository,
        pending: PendingSessions,
        rooms: LiveKitRooms,
        limits: Limits,
        clock: Clock,
    ):
        self._sessions = sessions
        self._pending = pending
        self._rooms = rooms
        self._limits = limits
        self._clock = clock

    async def joined(self, event: ParticipantJoined) -> None:
        """The first person to join starts the session."""
        if not is_person(event.connection):
            return
        found = await self._sessions.find_automatic(event.session_id)
        if found and found.status is SessionStatus.SCHEDULED:
            await self._start(event.session_id, event.connection)
        elif found and found.emptied:
            await self._change(
                event.session_id,
                lambda session: somebody_joined(session, event.connection.joined_at, self._limits),
            )
        if event.connection.ends_session:
            await self._change(
                event.session_id,
                lambda session: closer_joined(session, event.connection, event.room_sid, self._limits),
            )

    async def follow_roster(self, event: RosterObserved) -> None:
        """A join that was not reported."""
        people = [one for one in event.connections if one.active and is_person(one)]
        found = await self._sessions.find_automatic(event.session_id) if people else None
        if found and found.status is SessionStatus.SCHEDULED:
            await self._start(event.session_id, min(people, key=lambda one: one.joined_at))

    async def _start(self, session_id: str, first: Connection) -> None:
        """Start as of that join. Banned people start nothing: they are disconnected."""
        pending = await self._sessions.find(session_id)
        if pending is None or not pending.is_pending:
            return
        if is_banned_person(pending, first.user_id):
            await self._rooms.remove(session_id, first.identity)
            return
        try:
            await self._change(session_id, lambda session: self._started(session, first.joined_at))
        except (Duplicate, Forbidden) as error:
            # Another session of the room is live, or the room was disabled.
            log.warning("automatic.not_started", session_id=session_id, error=str(error))
            await self._change(
                session_id, lambda session: session.expire(self._clock.now()) if session.is_pending else []
            )
            return
        if not await self._rooms.is_open(session_id):
            # Everybody has left before this was reported.
            await self._change(
                session_id, lambda session: left_already(session, self._clock.now(), first.joined_at)
            )

    def _started(self, session: Session, at: datetime) -> Sequence[Event]:
        if not session.is_pending:
            return []
        return session.start(self._clock.now(), session.preset, self._limits, at=at)

    async def left(self, event: ParticipantLeft | ParticipantConnectionAborted) -> None:
        if not is_person(event.connection):
            return
        found = await self._sessions.find_automatic(event.session_id)
        if found:
            await self._sessions.note_departure(event.session_id, event.occurred_at)
        if found and found.status is SessionStatus.ENDED:
            await self._change(event.session_id, lambda session: correct_end(session, self._clock.now()))
        if event.connection.ends_session:
            await self._change(
                event.session_id,
                lambda session: closer_left(session, event.connection, event.occurred_at, self._limits),
            )

    async def reopen(self, event: LiveKitRoomFinished | LiveKitRoomLost) -> None:
        """The room of a pending session waits for its first participant, whatever becomes of LiveKit.

        If it was closed since everybody has left, the news of who joined is still to come.
        """
        session = await self._sessions.find(event.session_id)
        if session is None or not session.is_pending:
            return
        if isinstance(event, LiveKitRoomLost) or session.last_left_at is None:
            await self._rooms.open(session)

    async def close(self, event: SessionExpired | SessionDeleted) -> None:
        """Tokens die with their session."""
        if event.session.options.auto_session:
            await self._rooms.close(event.session.id)

    async def follow_room(self, event: RoomUpdated) -> None:
        """A pending session takes over what changed in its room."""
        try:
            await self._pending.follow_room(event.room.id)
        except NotFound:
            return

    async def _change(self, id: str, decide: Callable[[Session], Sequence[Event]]) -> None:
        """Change a session; one that is deleted has nothing to follow."""
        try:
            await self._sessions.change(id, decide)
        except NotFound:
            return


def automatic_handlers(automatic: AutomaticSessions) -> Sequence[EventHandler]:
    return [
        on(ParticipantJoined, automatic.joined),
        on(ParticipantLeft, automatic.left),
        on(ParticipantConnectionAborted, automatic.left),
        on(RosterObserved, automatic.follow_roster),
        on(LiveKitRoomFinished, automatic.reopen),
        on(LiveKitRoomLost, automatic.reopen),
        on(SessionExpired, automatic.close),
        on(SessionDeleted, automatic.close),
        on(RoomUpdated, automatic.follow_room),
    ]
