"""Starting and ending sessions, by a call or automatically."""

from dataclasses import dataclass

import structlog

from services.session.catalog.presets.repository import PresetRepository
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.lifecycle import apply_timeouts
from services.session.sessions.domain.session import Limits, Session
from services.session.sessions.domain.stream import stream_again, stream_off, stream_on
from services.session.sessions.ingest import Ingest, IngestPort
from services.session.sessions.livekit_rooms import LiveKitRooms
from services.session.sessions.repository import SessionRepository
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.livekit_events import IngressStarted
from shared.contracts.states import EndReason, PresetState, SessionMode, SessionStatus
from shared.errors import AppError, Conflict, NotFound, Unavailable
from shared.persistence.mongo import Duplicate

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class StartedSession:
    """`ingest` is that of whoever started it, in mode rtmp; None while a live one's is unavailable."""

    session: Session
    ingest: Ingest | None


class LiveService:
    def __init__(
        self,
        sessions: SessionRepository,
        access: SessionAccess,
        presets: PresetRepository,
        ingest: IngestPort,
        rooms: LiveKitRooms,
        limits: Limits,
        clock: Clock,
    ):
        self._sessions = sessions
        self._access = access
        self._presets = presets
        self._ingest = ingest
        self._rooms = rooms
        self._limits = limits
        self._clock = clock

    async def start(self, id: str, caller: Caller, library_id: str | None) -> StartedSession:
        """Open the LiveKit room, then go live; a live session is returned as it is."""
        session, ingest = await self._authorize(id, caller, library_id)
        return StartedSession(await self._ensure_started(session, stream=False), ingest)

    async def go_live(self, id: str, caller: Caller, library_id: str | None) -> StartedSession:
        """Start if need be, with a stream, and with a recording if the preset has it."""
        session, ingest = await self._authorize(id, caller, library_id)
        return StartedSession(await self._start_with_stream(session), ingest)

    async def _authorize(
        self, id: str, caller: Caller, library_id: str | None
    ) -> tuple[Session, Ingest | None]:
        """The session, and the caller's own ingest of it in mode rtmp: without one nothing starts.

        What is live goes on without.
        """
        session = await self._access.get_for_host(id, caller, library_id)
        session.check_not_over()
        if session.mode is not SessionMode.RTMP:
            return session, None
        try:
            return session, await self._ingest.ensure(session, caller)
        except Unavailable as error:
            if not session.is_live:
                raise
            log.warning("start.without_ingest", session_id=session.id, error=error.message)
            return session, None

    async def start_on_ingest(self, event: IngressStarted) -> None:
        """Media has arrived by RTMP: a scheduled session goes live, unless its room is busy."""
        session = await self._sessions.find(event.session_id)
        if session is None or session.status is not SessionStatus.SCHEDULED:
            return
        try:
            await self._start_with_stream(session)
        except (Conflict, NotFound) as error:
            log.warning("start.not_begun", session_id=session.id, error=error.message)

    async def start_webcam_hls(self, id: str, caller: Caller, library_id: str | None) -> None:
        """Request a stream of a live session in mode webcam. Raises `Conflict` for others."""
        session = await self._access.get_for_host(id, caller, library_id)
        if session.mode is not SessionMode.WEBCAM:
            raise Conflict(f"The session is in mode {session.mode.value}", code="session_not_webcam")
        await self._ensure_stream(session, record=False)

    async def restart_stream(self, id: str, caller: Caller, library_id: str | None) -> None:
        """Request a stream, in place of one that has died. Raises `Conflict` unless the session is live."""
        session = await self._access.get_for_host(id, caller, library_id)
        await self._sessions.change(session.id, lambda session: stream_again(session, self._clock.now()))

    async def stop_stream(self, id: str, caller: Caller, library_id: str | None) -> None:
        """Have the stream end, if there is one. Raises `Conflict` unless the session is live."""
        session = await self._access.get_for_host(id, caller, library_id)
        await self._sessions.change(session.id, lambda session: stream_off(session, self._clock.now()))

    async def _start_with_stream(self, session: Session) -> Session:
        session = await self._ensure_started(session, stream=True)
        return await self._ensure_stream(session, record=session.preset.settings.recording_enabled)

    async def _ensure_stream(self, session: Session, *, record: bool) -> Session:
        if session.has_stream(record=record):
            session.check_live()
            return session
        return await self._sessions.change(
            session.id, lambda session: stream_on(session, self._clock.now(), record=record)
        )

    async def _ensure_started(self, session: Session, *, stream: bool) -> Session:
        session.check_not_over()
        if session.is_live:
            return session
        await self._check_room_free(session)
        preset = await self._current_preset(session)
        return await self._open_and_start(session, preset, stream=stream)

    async def _check_room_free(self, session: Session) -> None:
        """Another start of this very session may have been faster; that is no other session."""
        live = await self._sessions.live_in_rooms([session.room_id])
        if live.get(session.room_id, session.id) != session.id:
            raise Conflict("Another session of this room is live", code="room_busy")

    async def _current_preset(self, session: Session) -> PresetState:
        """The preset as it is now; a deleted one stays as it was copied."""
        preset = await self._presets.find(session.preset.id)
        return preset.state(is_default=session.preset.is_default) if preset else session.preset

    async def _open_and_start(self, session: Session, preset: PresetState, *, stream: bool) -> Session:
        """LiveKit first, then state; a room that was opened for nothing is closed again."""
        await self._rooms.open(session)
        try:
            return await self._sessions.change(
                session.id,
                lambda session: session.start(self._clock.now(), preset, self._limits, stream=stream),
            )
        except Duplicate:
            await self._close_unused(session.id)
            raise Conflict("Another session of this room is live", code="room_busy") from None
        except AppError as error:
            if not isinstance(error, Unavailable):
                await self._close_unused(session.id)
            raise

    async def _close_unused(self, id: str) -> None:
        """Close a room whose session did not go live; one that stays open closes itself when empty."""
        try:
            await self._rooms.close(id)
        except AppError as error:
            log.warning("start.room_left_open", session_id=id, error=error.message)

    async def rotate_stream_key(self, id: str, caller: Caller, library_id: str | None) -> Ingest:
        """A new stream key of the caller's; encoders that use one of their old ones are disconnected.

        Raises `Conflict`.
        """
        session = await self._access.get_for_host(id, caller, library_id)
        session.check_not_over()
        if session.mode is not SessionMode.RTMP:
            raise Conflict(f"The session is in mode {session.mode.value}", code="session_not_rtmp")
        return await self._ingest.renew(session, caller)

    async def end(self, id: str, caller: Caller, library_id: str | None) -> None:
        """State first: the event that goes with it closes the LiveKit room."""
        await self._access.get_for_host(id, caller, library_id)
        await self._sessions.change(id, lambda session: session.end(self._clock.now(), EndReason.HOST))

    async def apply_due_timeouts(self, limit: int = 100) -> int:
        """End and expire sessions that are due; returns how many were checked."""
        ids = await self._sessions.ids_due(self._clock.now(), limit)
        for id in ids:
            await self._sessions.change(
                id, lambda session: apply_timeouts(session, self._clock.now(), self._limits)
            )
        return len(ids)
