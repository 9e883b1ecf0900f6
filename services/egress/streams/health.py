"""Reading the signals of a stream's health: from LiveKit, the engine, and what is stored."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from services.egress.access.service import MediaAccess
from services.egress.egresses.encoding import encoding_of
from services.egress.egresses.service import EgressService
from services.egress.streams.domain import Stream
from services.egress.streams.health_rules import HealthSignals, RoomSignals, StreamOutput, assess
from services.egress.streams.hls_service import PlaylistSource
from services.egress.streams.repository import StreamRepository
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.states import SessionState, StreamStatus
from shared.egress.engine import EncodingOptions, Engine
from shared.errors import AppError
from shared.livekit import Ingress, LiveKit
from shared.livekit.ports import Ingresses

_DEADLINE = 3.0
# LiveKit lists the participants of a room within some seconds of its opening.
_LISTED_WITHIN = timedelta(seconds=10)


class RoomSignalsReader:
    def __init__(self, livekit: LiveKit, ingresses: Ingresses, clock: Clock):
        self._livekit = livekit
        self._ingresses = ingresses
        self._clock = clock

    async def read(self, session_id: str) -> RoomSignals | None:
        """What LiveKit lists for the session now; None if it does not answer in time."""
        try:
            async with asyncio.timeout(_DEADLINE):
                rooms, listed, ingresses = await asyncio.gather(
                    self._livekit.list_rooms([session_id]),
                    self._livekit.list_participants(session_id),
                    self._ingresses.list_ingresses(session_id),
                )
        except (AppError, TimeoutError):
            return None
        room = rooms[0] if rooms else None
        new = room is not None and self._clock.now() - room.created_at < _LISTED_WITHIN
        present = None if new and not listed else listed
        return RoomSignals(room=room, present=present, ingresses=_by_interest(ingresses))


def _by_interest(ingresses: Sequence[Ingress]) -> Sequence[Ingress]:
    """Those of all who control the session: those with a problem, then others that an encoder sends to."""

    def interest(one: Ingress) -> tuple[bool, bool]:
        sending = one.status != "inactive"
        return sending and one.input is not None and one.input.problem is not None, sending

    return sorted(ingresses, key=interest, reverse=True)


class StreamHealthService:
    def __init__(
        self,
        access: MediaAccess,
        streams: StreamRepository,
        egresses: EgressService,
        source: PlaylistSource,
        rooms: RoomSignalsReader,
        engine: Engine,
        encoding: EncodingOptions,
        clock: Clock,
    ):
        self._access = access
        self._streams = streams
        self._egresses = egresses
        self._source = source
        self._rooms = rooms
        self._clock = clock
        self._engine = engine
        self._encoding = encoding

    async def of(self, session_id: str, caller: Caller, library_id: str | None) -> HealthSignals:
        """What the health of the session's stream shows in, for its moderators.

        Raises `NotFound`, `Forbidden`.
        """
        return await self._signals(await self._access.get_for_moderator(session_id, caller, library_id))

    async def problems(self, session_id: str) -> Sequence[str]:
        """What is wrong with a session's stream, the worst first, or keeps its egresses from starting."""
        session = await self._access.find(session_id)
        if session is None:
            return []
        status, reasons = assess(await self._signals(session))
        if status != "idle":
            return [] if status == "healthy" else reasons
        problem = await self._engine.problem(starting=True)
        waits = problem is not None and await self._egresses.any_open(session_id)
        return [problem] if problem is not None and waits else []

    async def _signals(self, session: SessionState) -> HealthSignals:
        stream = await self._streams.find(session.id)
        starting = stream is not None and stream.status is StreamStatus.STARTING
        return HealthSignals(
            stream=stream,
            output=await self._output(stream),
            livekit=await self._rooms.read(session.id),
            engine_problem=await self._engine.problem(starting=starting),
            encoding=encoding_of(session, self._encoding),
        )

    async def _output(self, stream: Stream | None) -> StreamOutput:
        egress = await self._egresses.find(stream.current.key) if stream and stream.current else None
        if egress is None:
            return StreamOutput()
        try:
            async with asyncio.timeout(_DEADLINE):
                latest, count = await self._source.output(egress.session_id, egress.id)
        except (AppError, TimeoutError):
            return StreamOutput(egress=egress, known=False)
        age = None
        if latest:
            past = self._clock.now() - latest[-1].starts_at
            age = round(max(0.0, past.total_seconds() - latest[-1].duration), 3)
        return StreamOutput(egress=egress, latest=latest, count=count, age=age)
