"""Whether a stream is well, and what is wrong with it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp import web

from services.egress.access.service import SessionAccess
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.service import EgressService
from services.egress.engines.build import EngineProblem
from services.egress.ingest.ports import Ingresses
from services.egress.reconciler.liveness import NOT_COUNTED
from services.egress.streams.domain import Stream
from services.egress.streams.health_rules import HealthSignals, assess
from services.egress.streams.playlists import WINDOW
from services.egress.streams.repository import StreamRepository
from services.egress.streams.schemas import (
    EgressHealth,
    IngressHealth,
    RoomHealth,
    StreamHealthResponse,
    TrackHealth,
)
from services.egress.streams.segments import StreamSegments
from shared.access.identity import Caller
from shared.access.room_permissions import user_of
from shared.clock import Clock
from shared.contracts.states import SessionState, SessionStatus, StreamStatus
from shared.egress.engine import EncodingOptions
from shared.egress.segments import Segment
from shared.errors import AppError
from shared.livekit import Ingress, LiveKit, LiveKitParticipant, LiveKitRoom

_DEADLINE = 3.0
# LiveKit notes who is in a room within some seconds of its opening.
_LISTED_WITHIN = timedelta(seconds=10)


class StreamHealth:
    def __init__(
        self,
        access: SessionAccess,
        streams: StreamRepository,
        egresses: EgressService,
        segments: StreamSegments,
        livekit: LiveKit,
        ingresses: Ingresses,
        problem: EngineProblem,
        encoding: EncodingOptions,
        clock: Clock,
    ):
        self._access = access
        self._streams = streams
        self._egresses = egresses
        self._segments = segments
        self._livekit = livekit
        self._ingresses = ingresses
        self._problem = problem
        self._encoding = encoding
        self._clock = clock

    async def of(self, session_id: str, caller: Caller, library_id: str | None) -> StreamHealthResponse:
        """The health of the session's stream, for whoever moderates it. Raises `NotFound`, `Forbidden`."""
        session = await self._access.moderated(session_id, caller, library_id)
        stream = await self._streams.find(session_id)
        seen = await self._look_into(session)
        rooms, listed, ingresses = seen or ([], [], [])
        room = rooms[0] if rooms else None
        present = self._present(room, listed) if seen else None
        tracks = None if present is None else [track for one in present for track in _tracks(one)]
        output = await self._output(stream)
        status = stream.status if stream else StreamStatus.NONE
        signals = HealthSignals(
            live=session.status is SessionStatus.LIVE,
            wanted=stream is not None and stream.wanted,
            status=status,
            error=stream.error if stream else None,
            livekit_answers=seen is not None,
            room_open=room is not None,
            tracks=tracks,
            last_segment_age=output.age,
            segment_seconds=self._encoding.segment_seconds,
            engine_problem=await self._problem(starting=status is StreamStatus.STARTING),
        )
        said, reasons = assess(signals)
        return StreamHealthResponse(
            status=said,
            room=_room(room, present) if room else None,
            tracks=tracks or [],
            egress=self._egress_health(stream, output, reasons),
            ingress=_ingress(ingresses, present),
        )

    def _present(
        self, room: LiveKitRoom | None, listed: Sequence[LiveKitParticipant]
    ) -> Sequence[LiveKitParticipant] | None:
        """Who is in the room; None where LiveKit lists nobody in a room so new that it may not know yet."""
        new = room is not None and self._clock.now() - room.created_at < _LISTED_WITHIN
        return None if new and not listed else listed

    async def _look_into(
        self, session: SessionState
    ) -> tuple[Sequence[LiveKitRoom], Sequence[LiveKitParticipant], Sequence[Ingress]] | None:
        """The room, who is in it, and its ingress; None if LiveKit does not answer in time."""
        try:
            async with asyncio.timeout(_DEADLINE):
                return await asyncio.gather(
                    self._livekit.list_rooms([session.id]),
                    self._livekit.list_participants(session.id),
                    self._ingresses.list_ingresses(session.id),
                )
        except (AppError, TimeoutError):
            return None

    async def _output(self, stream: Stream | None) -> "_Output":
        planned = await self._egresses.find(stream.current.key) if stream and stream.current else None
        if planned is None:
            return _Output(None, [], 0, None)
        latest = await self._segments.latest(planned.id, WINDOW)
        age = None
        if latest:
            past = self._clock.now() - latest[-1].starts_at
            age = round(max(0.0, past.total_seconds() - latest[-1].duration), 3)
        return _Output(planned, latest, await self._segments.count(planned.id), age)

    def _egress_health(self, stream: Stream | None, output: "_Output", reasons: list[str]) -> EgressHealth:
        planned, latest = output.planned, output.latest
        return EgressHealth(
            status=stream.status.value if stream else StreamStatus.NONE.value,
            reasons=reasons,
            egress_id=planned.egress_id if planned else None,
            error=stream.error if stream else None,
            recording=planned.file if planned else False,
            started_at=planned.started_at if planned else None,
            hls_path=stream.hls_path if stream else None,
            width=self._encoding.width if planned else None,
            height=self._encoding.height if planned else None,
            frame_rate=self._encoding.frame_rate if planned else None,
            bitrate_kbps=_bitrate(latest),
            segment_count=output.count,
            last_segment_at=latest[-1].starts_at if latest else None,
            last_segment_age=output.age,
            attempt=stream.attempt if stream else 0,
        )


@dataclass(frozen=True)
class _Output:
    """What has come out of the egress that counts: its last segments, how many, the last one's age."""

    planned: PlannedEgress | None
    latest: Sequence[Segment]
    count: int
    age: float | None


def _bitrate(segments: Sequence[Segment]) -> int | None:
    seconds = sum(segment.duration for segment in segments)
    return round(sum(segment.size for segment in segments) * 8 / seconds / 1000) if seconds else None


def _room(room: LiveKitRoom, present: Sequence[LiveKitParticipant] | None) -> RoomHealth:
    """Counted by who is listed: the room's own count is some 10 s late, and has our recorder in it."""
    count = None if present is None else sum(_is_seen(one) for one in present)
    return RoomHealth(sid=room.sid, name=room.name, num_participants=count, created_at=room.created_at)


def _is_seen(participant: LiveKitParticipant) -> bool:
    return participant.kind not in NOT_COUNTED and not participant.permissions.hidden


def _tracks(participant: LiveKitParticipant) -> list[TrackHealth]:
    return [
        TrackHealth(
            sid=track.sid,
            participant_identity=user_of(participant.identity),
            type=track.type,
            source=track.source,
            muted=track.muted,
            width=track.width or None,
            height=track.height or None,
        )
        for track in participant.tracks
    ]


def _ingress(
    ingresses: Sequence[Ingress], present: Sequence[LiveKitParticipant] | None
) -> IngressHealth | None:
    if not ingresses:
        return None
    publishing = None if present is None else any(one.kind == "ingress" and one.tracks for one in present)
    if ingresses[0].status == "publishing":
        publishing = True
    return IngressHealth(ingress_id=ingresses[0].ingress_id, publishing=publishing)


HEALTH: Final = web.AppKey("stream_health", StreamHealth)
