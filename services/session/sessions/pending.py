"""Automatic sessions before their first participant: created with the first token issued for a room."""

from collections.abc import Callable, Sequence
from datetime import datetime

from services.session.catalog.build import Catalog
from services.session.catalog.rooms.domain import Room
from services.session.sessions.domain.session import Session
from services.session.sessions.livekit_rooms import LiveKitRooms
from services.session.sessions.new_session import new_session, take_over
from services.session.sessions.repository import SessionRepository
from shared.clock import Clock
from shared.contracts.event import Event
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.persistence.mongo import Duplicate

# Each time the session of the room ended, or another one was created, since it was found.
_ATTEMPTS = 10


class PendingSessions:
    def __init__(self, sessions: SessionRepository, catalog: Catalog, rooms: LiveKitRooms, clock: Clock):
        self._sessions = sessions
        self._catalog = catalog
        self._rooms = rooms
        self._clock = clock

    async def change(
        self, room: Room, until: datetime, decide: Callable[[Session], Sequence[Event]]
    ) -> Session:
        """Change the room's live session, or else its pending one, which is created if there is none.

        The LiveKit room of a pending session is open then, and waits `until` that time.

        Raises `Conflict` if there is no live session and the room has no automatic ones, whatever `decide`
        raises, and `Unavailable`.
        """
        for _ in range(_ATTEMPTS):
            session = await self._current(room) or await self._create(room, until)
            if session is None:
                continue
            try:
                if session.is_pending:
                    await self._prepare(session)
                changed = await self._sessions.change(
                    session.id, lambda found: [] if found.is_over else decide(found)
                )
            except NotFound:
                continue
            if not changed.is_over:
                return changed
        raise Conflict("The sessions of this room are changing; try again", code="concurrent_change")

    async def _current(self, room: Room) -> Session | None:
        live = await self._live(room)
        if live is not None:
            return live
        if not room.options.auto_session:
            raise Conflict("No session of this room is live", code="session_not_live")
        # A pending one that is gone has begun since the first look: a second would be for nobody.
        return await self._sessions.find_pending(room.id) or await self._live(room)

    async def _live(self, room: Room) -> Session | None:
        live = (await self._sessions.live_in_rooms([room.id])).get(room.id)
        return None if live is None else await self._sessions.find(live)

    async def _create(self, room: Room, until: datetime) -> Session | None:
        """A new pending session; None if another call has been faster."""
        preset = await self._catalog.presets.for_automatic(room, room.preset_id)
        session = new_session(new_id(), room, preset, self._clock.now())
        session.pending_room_id, session.due_at = room.id, until
        try:
            await self._sessions.add(session, session.created())
        except Duplicate:
            return None
        if await self._live(room) is not None:
            # Another one has begun since it was looked for; of two, the second could not begin.
            await self._sessions.remove(session.id, Session.delete)
            return None
        if await self._catalog.stores.rooms.find(room.id) is None:
            # Deleted meanwhile: only earlier sessions went with it.
            await self._sessions.remove(session.id, Session.delete)
            raise NotFound.of("room")
        return session

    async def follow_room(self, room_id: str) -> None:
        """Have the room's pending session take over what changed in it. Raises `NotFound`, `Unavailable`."""
        pending = await self._sessions.find_pending(room_id)
        if pending is not None:
            await self._prepare(pending)

    async def _prepare(self, pending: Session) -> None:
        """The pending session is as its room is now, and its LiveKit room is open."""
        room = await self._catalog.stores.rooms.get(pending.room_id)
        preset = await self._catalog.presets.for_automatic(room, room.preset_id)
        session = await self._sessions.change(
            pending.id, lambda found: take_over(found, self._clock.now(), room, preset)
        )
        if not session.is_pending:
            return
        if session.options.max_members != pending.options.max_members:
            # LiveKit changes no open room; one that somebody has entered stays as it is.
            await self._rooms.close_empty(session.id)
        await self._rooms.open(session)
