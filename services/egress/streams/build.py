"""Streams and recordings put together, and their life."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.egress.access.service import SessionAccess
from services.egress.drift.periodic_checks import DriftCheck
from services.egress.egresses.consumers import egress_group
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.engine_sync import EngineSync
from services.egress.egresses.orphans import OrphanedEgresses
from services.egress.egresses.repository import EgressRepository
from services.egress.egresses.runner import EgressRunner
from services.egress.egresses.service import EgressService
from services.egress.egresses.worker import EgressWorker
from services.egress.engines.build import EngineParts
from services.egress.ingest.ports import Ingresses
from services.egress.reconciler.build import ReconcilerParts
from services.egress.recordings.egress_observer import EgressObserver
from services.egress.recordings.housekeeping import HOUSEKEEPING, Housekeeping, RetentionLimits
from services.egress.recordings.orphans import StorageOrphans
from services.egress.recordings.repository import RecordingRepository
from services.egress.recordings.retrying import RecordingRetry
from services.egress.recordings.service import RECORDINGS, RecordingService
from services.egress.recordings.stuck_recordings import StuckRecordings
from services.egress.settings import EgressSettings
from services.egress.streams.consumers import stream_group
from services.egress.streams.health import HEALTH, StreamHealth
from services.egress.streams.hls_service import HLS, HlsService
from services.egress.streams.removal import StreamRemoval
from services.egress.streams.repository import StreamRepository
from services.egress.streams.segments import StreamSegments
from services.egress.streams.service import StreamService
from services.egress.streams.stuck_streams import StuckStreams
from shared.bus import Group
from shared.clock import Clock
from shared.egress.keys import LIVE_PLAYLIST, segments_prefix
from shared.egress.segment_repository import SegmentRepository
from shared.files.signed_paths import PathSigner
from shared.files.storage import Storage
from shared.livekit import LiveKit
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.supervisor import SUPERVISOR

HLS_LINKS, FILE_LINKS = "hls", "recordings"


@dataclass(frozen=True)
class StreamParts:
    """What the service's composition root needs of streams and recordings."""

    worker: EgressWorker
    egresses: EgressService
    streams: StreamService
    recordings: RecordingService
    housekeeping: Housekeeping
    orphans: StorageOrphans
    checks: tuple[DriftCheck, ...]
    health: StreamHealth
    hls: HlsService
    stores: tuple[Indexed, ...]
    groups: tuple[Group, ...]
    lifetime: Callable[[web.Application], AsyncIterator[None]]

    def install(self, app: web.Application) -> None:
        app[RECORDINGS], app[HOUSEKEEPING] = self.recordings, self.housekeeping
        app[HEALTH], app[HLS] = self.health, self.hls


def build_streams(
    settings: EgressSettings,
    reconciler: ReconcilerParts,
    engine: EngineParts,
    storage: Storage,
    livekit: LiveKit,
    ingresses: Ingresses,
    mongo: Mongo,
    outbox: Outbox,
    clock: Clock,
) -> StreamParts:
    secret = settings.internal_secret.get_secret_value()
    kept_days = settings.streams_kept_days
    wake = asyncio.Event()
    egress_repository = EgressRepository(mongo, outbox, clock)
    stream_repository = StreamRepository(mongo, outbox, clock)
    recording_repository = RecordingRepository(mongo, outbox, clock)
    segment_repository = SegmentRepository(mongo)

    segments = StreamSegments(mongo, segment_repository)
    access = SessionAccess(reconciler.sessions)
    egresses = EgressService(egress_repository, wake, clock)
    streams = StreamService(
        stream_repository,
        egresses,
        recording_repository,
        reconciler.sessions,
        clock,
        storage_type=storage.kind,
        kept=None if kept_days is None else timedelta(days=kept_days),
    )
    observer = EgressObserver(recording_repository, storage, clock)

    async def live(session_id: str) -> bool:
        known = await reconciler.sessions.find(session_id)
        return known is not None and not known.over

    async def playable(egress: PlannedEgress) -> bool:
        if engine.keeps_records:
            return await segments.playable(egress.id)
        return (
            await storage.head(f"{segments_prefix(egress.session_id, egress.id)}/{LIVE_PLAYLIST}") is not None
        )

    sync = EngineSync(
        egress_repository, engine.engine, reconciler.ledger, clock, settles_after=engine.settles_after
    )
    runner = EgressRunner(
        egress_repository,
        engine.engine,
        sync,
        clock,
        encoding=settings.encoding,
        live=live,
        playable=playable,
    )
    worker = EgressWorker(
        egress_repository, runner, clock, observers=[streams.observe, observer.observe], wake=wake
    )
    recordings = RecordingService(
        recording_repository,
        egresses,
        streams,
        segment_repository,
        access,
        storage,
        PathSigner(secret, FILE_LINKS, clock),
        clock,
        public_url=settings.public_url,
    )
    orphans = StorageOrphans(recording_repository, storage, clock)
    housekeeping = Housekeeping(
        recording_repository,
        recordings,
        orphans,
        RecordingRetry(recording_repository, egresses, observer, storage, engine.remake, clock),
        StreamRemoval(stream_repository, segment_repository, egresses, storage, clock),
        storage,
        clock,
        limits=RetentionLimits(days=settings.recordings_kept_days, bytes=settings.recordings_quota_bytes),
    )
    hls = HlsService(
        stream_repository,
        segments,
        storage,
        PathSigner(secret, HLS_LINKS, clock),
        seconds=settings.stream_segment_seconds,
        from_records=engine.keeps_records,
    )
    health = StreamHealth(
        access,
        stream_repository,
        egresses,
        segments,
        livekit,
        ingresses,
        engine.problem,
        settings.encoding,
        clock,
    )

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        app[SUPERVISOR].spawn("egress worker", worker.run())
        app[SUPERVISOR].spawn("housekeeping", housekeeping.run())
        yield

    return StreamParts(
        worker=worker,
        egresses=egresses,
        streams=streams,
        recordings=recordings,
        housekeeping=housekeeping,
        orphans=orphans,
        checks=(
            OrphanedEgresses(engine.engine, egress_repository, egresses, reconciler.sessions),
            StuckStreams(stream_repository, streams, egress_repository, reconciler.sessions),
            StuckRecordings(recording_repository, observer, egress_repository, clock),
        ),
        health=health,
        hls=hls,
        stores=(
            egress_repository,
            stream_repository,
            recording_repository,
            segment_repository,
            *engine.stores,
        ),
        groups=(egress_group(egresses), stream_group(streams)),
        lifetime=lifetime,
    )
