"""The composition root of a recorder."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from aiohttp import web

from services.recorder.jobs.context import JobContext
from services.recorder.jobs.worker import Worker
from services.recorder.settings import RecorderSettings
from services.recorder.spool.store import Spool
from services.recorder.spool.uploader import Uploader
from shared.clock import SystemClock
from shared.egress.job_repository import JobRepository, RecorderRepository
from shared.egress.segment_repository import SegmentRepository
from shared.files.storage import Storage
from shared.http import service_app
from shared.livekit import LiveKitApi, TokenMint, WebhookSigner
from shared.livekit.webhook_sender import Reports
from shared.persistence.mongo import Mongo
from shared.runtime.backoff import until_available
from shared.runtime.health import HEALTH
from shared.runtime.supervisor import SUPERVISOR


def build(settings: RecorderSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("recorder", settings, (), clock)
    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()

    mongo = Mongo.from_uri(settings.mongodb_uri, expiry=settings.mongodb_expiry)
    spool = Spool(settings.spool)
    segments = SegmentRepository(mongo)
    recorders = RecorderRepository(mongo)
    storage = Storage.from_url(settings.storage_url, settings.storage_options)
    signer = WebhookSigner(key, secret, clock)
    context = JobContext(
        jobs=JobRepository(mongo),
        segments=segments,
        storage=storage,
        spool=spool,
        uploader=Uploader(spool, storage, segments),
        reports=Reports(f"{settings.egress_url}/webhooks/livekit", spool.reports, signer, clock),
        livekit=LiveKitApi(settings.livekit_api_url, key, secret),
        mint=TokenMint(key, secret, clock),
        clock=clock,
        livekit_url=settings.livekit_url,
        preset=settings.x264_preset,
    )

    async def start(app: web.Application, worker: Worker) -> None:
        await until_available(f"{_place(settings)} (GREENROOM_MONGODB_URI)", mongo.check_journal)
        for store in (context.jobs, segments, recorders):
            await until_available("indexes", store.ensure_indexes)
        supervisor = app[SUPERVISOR]
        supervisor.spawn("uploader", context.uploader.run())
        supervisor.spawn("reports", context.reports.run())
        supervisor.spawn("heartbeat", worker.beat())
        supervisor.spawn("worker", worker.run())
        app[HEALTH].started = True

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        worker = Worker(spool.open(), context, recorders, max_jobs=settings.max_jobs)
        context.uploader.on_full = worker.full
        app[HEALTH].add("mongodb", mongo.ping)
        app[SUPERVISOR].spawn("start", start(app, worker), may_end=True)
        yield
        await worker.stop()
        await app[SUPERVISOR].stop()
        await context.livekit.close()
        spool.close()
        mongo.close()

    app.cleanup_ctx.append(lifetime)
    return app


def _place(settings: RecorderSettings) -> str:
    """Where the database is, without who signs in there."""
    parts = urlsplit(settings.mongodb_uri)
    return f"mongodb at {parts.netloc.rpartition('@')[2]}{parts.path}"
