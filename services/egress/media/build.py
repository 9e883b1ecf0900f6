"""What makes streams and recordings, put together, and its life."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.egress.access.service import SessionAccess
from services.egress.drift.periodic_checks import DriftCheck
from services.egress.egresses.build import EgressParts, build_egresses, build_worker
from services.egress.egresses.consumers import egress_group
from services.egress.egresses.orphans import OrphanedEgresses
from services.egress.egresses.worker import EgressWorker
from services.egress.engines.build import EngineParts
from services.egress.ingest.ports import Ingresses
from services.egress.reconciler.build import ReconcilerParts
from services.egress.recordings.build import RecordingParts, build_recordings
from services.egress.recordings.files import FILE_LINKS, RecordingFiles
from services.egress.recordings.housekeeping import RetentionLimits
from services.egress.recordings.repository import RecordingRepository
from services.egress.recordings.routes import HOUSEKEEPING, RECORDING_FILES, RECORDING_RETRY, RECORDINGS
from services.egress.recordings.starter import RecordingStarter
from services.egress.streams.build import StreamParts, build_streams
from services.egress.streams.consumers import stream_group
from services.egress.streams.health import RoomSignalsReader
from services.egress.streams.hls_service import HLS_LINKS
from services.egress.streams.routes import HEALTH, HLS
from shared.bus import Group
from shared.clock import Clock
from shared.egress.engine import EncodingOptions
from shared.egress.segment_repository import SegmentRepository
from shared.files.signed_paths import PathSigner
from shared.files.storage import Storage
from shared.livekit import LiveKit
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.supervisor import SUPERVISOR


@dataclass(frozen=True, kw_only=True)
class MediaOptions:
    """`secret` signs links to files, which begin with `public_url`.

    `stream_retention` is how long HLS is kept after a session's end, None for as long as the session.
    """

    encoding: EncodingOptions
    secret: str
    public_url: str
    stream_retention: timedelta | None
    recording_limits: RetentionLimits


@dataclass(frozen=True)
class MediaParts:
    egresses: EgressParts
    worker: EgressWorker
    streams: StreamParts
    recordings: RecordingParts
    orphans: OrphanedEgresses
    stores: tuple[Indexed, ...]

    @property
    def checks(self) -> tuple[DriftCheck, ...]:
        return self.orphans, self.streams.check, self.recordings.check

    @property
    def groups(self) -> tuple[Group, Group]:
        return egress_group(self.egresses.service), stream_group(self.streams.service)

    def install(self, app: web.Application) -> None:
        app[RECORDINGS], app[RECORDING_FILES] = self.recordings.service, self.recordings.files
        app[RECORDING_RETRY], app[HOUSEKEEPING] = self.recordings.retry, self.recordings.housekeeping
        app[HEALTH], app[HLS] = self.streams.health, self.streams.hls

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`."""
        app[SUPERVISOR].spawn("egress worker", self.worker.run())
        app[SUPERVISOR].spawn("housekeeping", self.recordings.housekeeping.run())
        app[SUPERVISOR].spawn("stream removal", self.streams.removal.run())
        yield


def build_media(
    options: MediaOptions,
    reconciler: ReconcilerParts,
    engine: EngineParts,
    livekit: LiveKit,
    ingresses: Ingresses,
    storage: Storage,
    mongo: Mongo,
    outbox: Outbox,
    clock: Clock,
) -> MediaParts:
    sessions, access = reconciler.sessions, SessionAccess(reconciler.sessions)
    repository, segments = RecordingRepository(mongo, outbox, clock), SegmentRepository(mongo)
    starter = RecordingStarter(repository, clock, storage_type=storage.kind)
    egresses = build_egresses(engine, mongo, outbox, clock)
    rooms = RoomSignalsReader(livekit, ingresses, clock)
    hls_links = PathSigner(options.secret, HLS_LINKS, clock)
    streams = build_streams(
        egresses,
        starter,
        sessions,
        access,
        rooms,
        storage,
        hls_links,
        mongo,
        outbox,
        clock,
        encoding=options.encoding,
        retention=options.stream_retention,
    )
    files = RecordingFiles(
        repository,
        egresses.service,
        segments,
        storage,
        PathSigner(options.secret, FILE_LINKS, clock),
        clock,
        public_url=options.public_url,
    )
    recordings = build_recordings(
        repository,
        starter,
        files,
        egresses,
        access,
        storage,
        clock,
        limits=options.recording_limits,
        release_file=streams.service.release_file,
    )
    worker = build_worker(
        egresses,
        sessions,
        reconciler.ledger,
        clock,
        encoding=options.encoding,
        playable=streams.playlists.playable,
        observers=[streams.service.observe, recordings.observer.observe],
    )
    orphans = OrphanedEgresses(engine.engine, egresses.repository, egresses.service, sessions)
    stores: tuple[Indexed, ...] = (
        egresses.repository,
        streams.repository,
        repository,
        segments,
        *engine.stores,
    )
    return MediaParts(egresses, worker, streams, recordings, orphans, stores)
