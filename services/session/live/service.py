"""Going live and coming to an end, by hand or by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.session.catalog.presets.repository import PresetRepository
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.lifecycle import settle
from services.session.sessions.domain.session import Ingest, Limits, Session
from services.session.sessions.domain.stream import stream_again, stream_on
from services.session.sessions.ingest import IngestPort
from services.session.sessions.repository import SessionRepository
from services.session.sessions.schemas import RtmpResponse, StartSessionResponse
from services.session.sessions.views import SessionViews, rtmp_response, rtmp_setup_response
from services.session.tokens.service import Admission
from shared.access.identity import Caller
from shared.access.permissions import encoder_grant
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.states import EndReason, PresetState, PresetType, SessionMode, SessionStatus
from shared.errors import AppError, Conflict, NotFound, Unavailable
from shared.livekit import LiveKit, TokenMint, whip_url
from shared.persistence.mongo import Duplicate

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class RoomTimeouts:
    """How long LiveKit keeps an empty room, in seconds: beyond our own grace, so that we end it first."""

    empty: int
    departure: int


class LiveService:
    def __init__(
        self,
        sessions: SessionRepository,
        access: SessionAccess,
        presets: PresetRepository,
        admission: Admission,
        ingest: IngestPort,
        livekit: LiveKit,
        mint: TokenMint,
        views: SessionViews,
        limits: Limits,
        timeouts: RoomTimeouts,
        livekit_url: str,
        clock: Clock,
    ):
        self._sessions = sessions
        self._access = access
        self._presets = presets
        self._admission = admission
        self._ingest = ingest
        self._livekit = livekit
        self._mint = mint
        self._views = views
        self._limits = limits
        self._timeouts = timeouts
        self._livekit_url = livekit_url
        self._clock = clock

    async def start(self, id: str, caller: Caller, library_id: str | None) -> StartSessionResponse:  # noqa: A002
        """Open the LiveKit room, then go live; a live session is answered as it is."""
        session = await self._live(await self._admitted(id, caller, library_id), stream=False)
        return await self._started(session, caller)

    async def go_live(self, id: str, caller: Caller, library_id: str | None) -> StartSessionResponse:  # noqa: A002
        """Start where that is needed, with a stream, and a recording where the preset has it."""
        session = await self._streaming(await self._admitted(id, caller, library_id))
        return await self._started(session, caller)

    async def _admitted(self, id: str, caller: Caller, library_id: str | None) -> Session:  # noqa: A002
        """The session for a host of it who may join it, too: who begins it gets a token."""
        session = await self._access.get_for_host(id, caller, library_id)
        await self._access.check_registered(session, caller)
        return session

    async def begin(self, id: str) -> None:  # noqa: A002
        """Media has come in by RTMP: a scheduled session goes live by itself, unless its room is busy."""
        session = await self._sessions.find(id)
        if session is None or session.status is not SessionStatus.SCHEDULED:
            return
        try:
            await self._streaming(session)
        except (Conflict, NotFound) as error:
            log.warning("start.not_begun", session_id=id, error=error.message)

    async def start_webcam_hls(self, id: str, caller: Caller, library_id: str | None) -> None:  # noqa: A002
        """Have a stream of a live session in mode webcam. Raises `Conflict` for others."""
        session = await self._access.get_for_host(id, caller, library_id)
        if session.mode is not SessionMode.WEBCAM:
            raise Conflict(f"The session is in mode {session.mode.value}", code="session_not_webcam")
        await self._stream_on(session.id, record=False)

    async def ensure_stream(self, id: str, caller: Caller, library_id: str | None) -> None:  # noqa: A002
        """Have a stream, in the place of one that has died. Raises `Conflict` unless the session is live."""
        session = await self._access.get_for_host(id, caller, library_id)
        await self._sessions.change(session.id, lambda session: stream_again(session, self._clock.now()))

    async def _streaming(self, session: Session) -> Session:
        session = await self._live(session, stream=True)
        record = session.preset.settings.recording_enabled
        if session.stream.wanted and (session.stream.record or not record):
            return session
        return await self._stream_on(session.id, record=record)

    async def _stream_on(self, id: str, *, record: bool) -> Session:  # noqa: A002
        return await self._sessions.change(
            id, lambda session: stream_on(session, self._clock.now(), record=record)
        )

    async def _live(self, session: Session, *, stream: bool) -> Session:
        session.check_startable()
        if session.is_live:
            return session
        await self._check_room_free(session)
        preset, ingest = await self._current_preset(session), await self._ensure_ingest(session)
        return await self._go_live(session, preset, ingest, stream=stream)

    async def _check_room_free(self, session: Session) -> None:
        """Another start of this very session may have been faster; that is no other session."""
        live = await self._sessions.live_in_rooms([session.room_id])
        if live.get(session.room_id, session.id) != session.id:
            raise Conflict("Another session of this room is live", code="room_busy")

    async def _current_preset(self, session: Session) -> PresetState:
        """The preset as it is now; a deleted one stays as it was copied."""
        preset = await self._presets.find(session.preset.id)
        return preset.state(is_default=session.preset.is_default) if preset else session.preset

    async def _ensure_ingest(self, session: Session) -> Ingest | None:
        if session.mode is not SessionMode.RTMP:
            return None
        return await self._ingest.ensure(session_id=session.id, host_id=session.host_id, name=session.title)

    async def _go_live(
        self, session: Session, preset: PresetState, ingest: Ingest | None, *, stream: bool
    ) -> Session:
        """LiveKit first, then state; a room that was opened for nothing is closed again."""
        await self._livekit.create_room(
            session.id, empty_timeout=self._timeouts.empty, departure_timeout=self._timeouts.departure
        )
        try:
            return await self._sessions.change(
                session.id,
                lambda session: session.start(self._clock.now(), preset, ingest, self._limits, stream=stream),
            )
        except Duplicate:
            await self._close_unused(session.id)
            raise Conflict("Another session of this room is live", code="room_busy") from None
        except AppError as error:
            if not isinstance(error, Unavailable):
                await self._close_unused(session.id)
            raise

    async def _close_unused(self, id: str) -> None:  # noqa: A002
        """Close a room whose session did not go live; one that stays open closes itself when empty."""
        try:
            await self._livekit.delete_room(id)
        except AppError as error:
            log.warning("start.room_left_open", session_id=id, error=error.message)

    async def _started(self, session: Session, caller: Caller) -> StartSessionResponse:
        ingest = session.ingest
        by_whip = session.mode is SessionMode.WEBCAM and session.preset.settings.type is PresetType.WHIP
        return StartSessionResponse(
            session=await self._views.one(session, caller),
            livekit_token=self._admission.token(session, caller),
            rtmp=rtmp_response(ingest) if ingest else None,
            rtmp_setup=rtmp_setup_response(ingest) if ingest else None,
            whip_url=self._whip_url(session, caller) if by_whip else None,
        )

    def _whip_url(self, session: Session, caller: Caller) -> str:
        """Valid for the longest the session may last, so that an encoder can reconnect."""
        grant = encoder_grant(room=session.id, identity=f"{session.host_id}:whip", name=caller.username)
        token = self._mint.join_token(grant, lifetime=self._limits.max_duration)
        return whip_url(self._livekit_url, token)

    async def rotate_stream_key(self, id: str, caller: Caller, library_id: str | None) -> RtmpResponse:  # noqa: A002
        """A new stream key; an encoder that sends under the old one is sent away. Raises `Conflict`."""
        session = await self._access.get_for_host(id, caller, library_id)
        session.check_startable()
        if session.mode is not SessionMode.RTMP:
            raise Conflict(f"The session is in mode {session.mode.value}", code="session_not_rtmp")
        ingest = await self._ingest.renew(session_id=session.id, host_id=session.host_id, name=session.title)
        await self._sessions.change(session.id, lambda session: session.renew_ingest(ingest))
        return rtmp_response(ingest)

    async def end(self, id: str, caller: Caller, library_id: str | None) -> None:  # noqa: A002
        """State first: the event that goes with it closes the LiveKit room."""
        await self._access.get_for_host(id, caller, library_id)
        await self._end(id, EndReason.HOST)

    async def _end(self, id: str, reason: EndReason) -> None:  # noqa: A002
        await self._sessions.change(id, lambda session: session.end(self._clock.now(), reason))

    async def settle_due(self, limit: int = 100) -> int:
        """End and expire what is due; returns how many were looked at."""
        ids = await self._sessions.ids_due(self._clock.now(), limit)
        for id in ids:  # noqa: A001
            await self._sessions.change(id, self._settle)
        return len(ids)

    def _settle(self, session: Session) -> Sequence[Event]:
        return settle(session, self._clock.now(), self._limits)
