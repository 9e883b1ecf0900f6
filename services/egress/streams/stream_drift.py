"""Streams that differ from what their session wants, or from the state of their egress."""

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.repository import EgressRepository
from services.egress.sessions.projection import EgressSessionProjection, KnownSession
from services.egress.streams.domain import Stream
from services.egress.streams.repository import StreamRepository
from services.egress.streams.service import StreamService
from shared.contracts.states import StreamStatus

_PASSING = frozenset({StreamStatus.STARTING, StreamStatus.ACTIVE, StreamStatus.ENDING})


class StreamDriftCheck:
    """Compares sessions, streams and planned egresses; if they differ, an event was lost."""

    def __init__(
        self,
        streams: StreamRepository,
        service: StreamService,
        egresses: EgressRepository,
        sessions: EgressSessionProjection,
    ):
        self._streams = streams
        self._service = service
        self._egresses = egresses
        self._sessions = sessions

    async def differences(self) -> list[Drift]:
        live = {one.state.id: one for one in await self._sessions.list_live() if one.state.stream.wanted}
        streams = {one.id: one for one in await self._streams.list_open()}
        streams |= await self._streams.find_many(list(live.keys() - streams.keys()))
        known = live | await self._sessions.known(list(streams.keys() - live.keys()))
        keys = [one.current.key for one in streams.values() if one.current]
        planned = await self._egresses.find_many(keys) if keys else {}
        found = (_difference(id_, streams.get(id_), known.get(id_), planned) for id_ in streams | live)
        return [drift for drift in found if drift is not None]

    async def correct(self, drift: Drift) -> DriftCorrection | None:
        await self._service.reconcile(drift.session_id)
        stream = await self._streams.find(drift.session_id)
        status = stream.status if stream else StreamStatus.NONE
        return DriftCorrection(drift, f"stream is {status.value}", estimated=False)


def _difference(
    session_id: str, stream: Stream | None, known: KnownSession | None, planned: dict[str, PlannedEgress]
) -> Drift | None:
    egress = planned.get(stream.current.key) if stream and stream.current else None
    differs = compare_session(stream, known) or (compare_egress(stream, egress) if stream else None)
    return Drift(Kind.STREAM, session_id, *differs) if differs else None


def compare_session(stream: Stream | None, known: KnownSession | None) -> tuple[str, str] | None:
    """What the session wants, against the stream: expected and observed."""
    if known is None:
        return None
    if known.over:
        return ("session over", "stream still wanted") if stream is not None and stream.wanted else None
    if stream is not None and _outlives(stream, known):
        return "no stream wanted", "stream still wanted"
    attempt = known.state.stream.attempt
    if known.live and known.state.stream.wanted and (stream is None or stream.attempt < attempt):
        return f"stream wanted, attempt {attempt}", "nobody began it"
    return None


def _outlives(stream: Stream, known: KnownSession) -> bool:
    """Whether it goes on although its session has asked for it to stop."""
    stopped = known.live and not known.state.stream.wanted
    return stopped and stream.wanted and stream.session_version <= known.version


def compare_egress(stream: Stream, egress: PlannedEgress | None) -> tuple[str, str] | None:
    """The status of the stream, against that of its egress."""
    if stream.status not in _PASSING or (egress is not None and stream.shows(egress)):
        return None
    return f"stream {stream.status.value}", f"egress {egress.status.value}" if egress else "no egress planned"
