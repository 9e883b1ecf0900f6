"""Egresses, streams and recordings, put together."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.egress.access.service import MediaAccess
from services.egress.drift.periodic_checks import DriftCheck
from services.egress.drift.service import DriftLedger
from services.egress.egresses.egress_drift import EgressDriftCheck
from services.egress.egresses.engine_sync import EngineSync
from services.egress.egresses.liveness import LivenessProbe
from services.egress.egresses.repository import EgressRepository
from services.egress.egresses.service import EgressService, egress_group
from services.egress.egresses.worker import EgressWorker
from services.egress.recordings.files import FILE_LINKS, RecordingFiles
from services.egress.recordings.housekeeping import Housekeeping, RetentionLimits
from services.egress.recordings.lifecycle import RecordingLifecycle
from services.egress.recordings.orphans import StorageOrphans
from services.egress.recordings.recording_drift import RecordingDriftCheck
from services.egress.recordings.repository import RecordingRepository
from services.egress.recordings.routes import HOUSEKEEPING, RECORDING_FILES, RECORDING_LIFECYCLE, RECORDINGS
from services.egress.recordings.service import RecordingService
from services.egress.sessions.projection import EgressSessionProjection
from services.egress.streams.directory import StreamDirectory
from services.egress.streams.health import RoomSignalsReader, StreamHealthService
from services.egress.streams.hls_service import HlsService, PlaylistSource
from services.egress.streams.livekit_playlists import LiveKitPlaylists
from services.egress.streams.playlists import StreamSegments
from services.egress.streams.removal import StreamRemoval
from services.egress.streams.repository import StreamRepository
from services.egress.streams.routes import DIRECTORY, HEALTH, HLS
from services.egress.streams.service import StreamService, stream_group
from services.egress.streams.stream_drift import StreamDriftCheck
from shared.clock import Clock
from shared.egress.engine import EncodingOptions, Engine
from shared.egress.segments import SegmentRepository
from shared.files.paths import PathSigner
from shared.files.storage import Storage
from shared.files.stream_links import HLS_LINKS, StreamLinks
from shared.livekit import Ingresses, LiveKit
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.persistence.state_counts import report_periodically
from shared.runtime.rotating_secret import RotatingSecret
from shared.runtime.tasks import SUPERVISOR


@dataclass(frozen=True, kw_only=True)
class MediaOptions:
    """`secret` signs links to files, which begin with `public_url`.

    `stream_retention` is how long HLS is kept after a session's end, None for as long as the session.
    """

    encoding: EncodingOptions
    secret: RotatingSecret
    public_url: str
    stream_retention: timedelta | None
    recording_limits: RetentionLimits


@dataclass(frozen=True, kw_only=True)
class Backends:
    """The servers and stores that the service works with."""

    livekit: LiveKit
    storage: Storage
    mongo: Mongo
    outbox: Outbox


class StreamsAndRecordings:
    """`checks` compare what runs with what should, `stores` have indexes, `groups` take events."""

    def __init__(
        self,
        options: MediaOptions,
        backends: Backends,
        engine: Engine,
        ingresses: Ingresses,
        sessions: EgressSessionProjection,
        ledger: DriftLedger,
        clock: Clock,
    ):
        mongo, outbox = backends.mongo, backends.outbox
        plans, wake = EgressRepository(mongo, outbox, clock), asyncio.Event()
        streams = StreamRepository(mongo, outbox, clock)
        recordings = RecordingRepository(mongo, outbox, clock)
        segments = SegmentRepository(mongo)
        self._reports = (streams.report_states, recordings.report_states)
        self.stores: tuple[Indexed, ...] = (plans, streams, recordings, segments)
        self.egresses = EgressService(plans, wake, clock)
        self.lifecycle = RecordingLifecycle(
            recordings, self.egresses, sessions, engine, backends.storage, clock
        )
        self.streams = StreamService(
            streams, self.egresses, self.lifecycle, sessions, clock, retention=options.stream_retention
        )
        self.orphans = StorageOrphans(recordings, backends.storage, clock)
        self._add_recordings(options, backends, recordings, segments, MediaAccess(sessions), clock)
        rooms = RoomSignalsReader(backends.livekit, ingresses, clock)
        self._add_streams(options, backends, engine, rooms, streams, segments, sessions, clock)
        liveness = LivenessProbe(engine, backends.storage)
        self.worker = EgressWorker(
            plans,
            EngineSync(plans, engine, liveness, sessions, ledger, clock, options.encoding),
            sessions,
            clock,
            playable=self.playlists.playable,
            # A recording whose egress died is over before another goes on with it.
            observers=[self.lifecycle.observe, self.streams.observe],
            wake=wake,
        )
        self.checks: tuple[DriftCheck, ...] = (
            EgressDriftCheck(engine, plans, self.egresses, sessions),
            StreamDriftCheck(streams, self.streams, plans, sessions),
            RecordingDriftCheck(recordings, self.lifecycle, plans, clock),
        )
        self.groups = (egress_group(self.egresses), stream_group(self.streams))

    def _add_recordings(
        self,
        options: MediaOptions,
        backends: Backends,
        recordings: RecordingRepository,
        segments: SegmentRepository,
        access: MediaAccess,
        clock: Clock,
    ) -> None:
        self.files = RecordingFiles(
            recordings,
            self.egresses,
            segments,
            backends.storage,
            PathSigner(options.secret, FILE_LINKS, clock),
            clock,
            public_url=options.public_url,
        )
        self.recordings = RecordingService(
            recordings,
            self.lifecycle,
            self.files,
            self.egresses,
            access,
            clock,
            release_file=self.streams.release_file,
        )
        self.housekeeping = Housekeeping(
            recordings, self.files, self.orphans, clock, limits=options.recording_limits
        )

    def _add_streams(
        self,
        options: MediaOptions,
        backends: Backends,
        engine: Engine,
        rooms: RoomSignalsReader,
        streams: StreamRepository,
        segments: SegmentRepository,
        sessions: EgressSessionProjection,
        clock: Clock,
    ) -> None:
        of_stream = StreamSegments(backends.mongo, segments, seconds=options.encoding.segment_seconds)
        self.playlists: PlaylistSource = (
            of_stream if engine.keeps_records else LiveKitPlaylists(backends.storage)
        )
        signer, access = PathSigner(options.secret, HLS_LINKS, clock), MediaAccess(sessions)
        self.hls = HlsService(streams, sessions, self.playlists, backends.storage, signer)
        links = StreamLinks(options.public_url, signer, clock)
        self.directory = StreamDirectory(streams, access, links)
        self.health = StreamHealthService(
            access,
            streams,
            self.egresses,
            self.playlists,
            rooms,
            engine,
            options.encoding,
            clock,
        )
        self.removal = StreamRemoval(streams, segments, self.egresses, backends.storage, clock)

    def install(self, app: web.Application) -> None:
        app[RECORDINGS], app[RECORDING_FILES] = self.recordings, self.files
        app[RECORDING_LIFECYCLE], app[HOUSEKEEPING] = self.lifecycle, self.housekeeping
        app[HEALTH], app[DIRECTORY], app[HLS] = self.health, self.directory, self.hls

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`."""
        app[SUPERVISOR].spawn("egress worker", self.worker.run())
        app[SUPERVISOR].spawn("housekeeping", self.housekeeping.run())
        app[SUPERVISOR].spawn("stream removal", self.removal.run())
        app[SUPERVISOR].spawn("state counts", report_periodically(*self._reports))
        yield
