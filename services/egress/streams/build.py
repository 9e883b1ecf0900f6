"""Streams put together."""

from dataclasses import dataclass
from datetime import timedelta

from services.egress.access.service import SessionAccess
from services.egress.egresses.build import EgressParts
from services.egress.sessions.service import Sessions
from services.egress.streams.health import RoomSignalsReader, StreamHealthService
from services.egress.streams.hls_service import HlsService, PlaylistSource
from services.egress.streams.livekit_playlists import LiveKitPlaylists
from services.egress.streams.removal import StreamRemoval
from services.egress.streams.repository import StreamRepository
from services.egress.streams.segments import StreamSegments
from services.egress.streams.service import StreamRecordings, StreamService
from services.egress.streams.stuck_streams import StuckStreams
from shared.clock import Clock
from shared.egress.engine import EncodingOptions
from shared.egress.segment_repository import SegmentRepository
from shared.files.signed_paths import PathSigner
from shared.files.storage import Storage
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox


@dataclass(frozen=True)
class StreamParts:
    repository: StreamRepository
    service: StreamService
    playlists: PlaylistSource
    hls: HlsService
    health: StreamHealthService
    removal: StreamRemoval
    check: StuckStreams


def build_streams(
    egresses: EgressParts,
    recordings: StreamRecordings,
    sessions: Sessions,
    access: SessionAccess,
    rooms: RoomSignalsReader,
    storage: Storage,
    links: PathSigner,
    mongo: Mongo,
    outbox: Outbox,
    clock: Clock,
    *,
    encoding: EncodingOptions,
    retention: timedelta | None,
) -> StreamParts:
    """`retention` is how long HLS is kept after a session's end, None for as long as the session."""
    repository, records = StreamRepository(mongo, outbox, clock), SegmentRepository(mongo)
    service = StreamService(repository, egresses.service, recordings, sessions, clock, retention=retention)
    segments = StreamSegments(mongo, records, seconds=encoding.segment_seconds)
    playlists = segments if egresses.engine.keeps_records else LiveKitPlaylists(storage)
    health = StreamHealthService(
        access,
        repository,
        egresses.service,
        segments,
        rooms,
        clock,
        problem=egresses.engine.problem,
        encoding=encoding,
    )
    return StreamParts(
        repository=repository,
        service=service,
        playlists=playlists,
        hls=HlsService(repository, playlists, storage, links),
        health=health,
        removal=StreamRemoval(repository, records, egresses.service, storage, clock),
        check=StuckStreams(repository, service, egresses.repository, sessions),
    )
