"""The composition root of a recorder."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from aiohttp import web

from services.recorder.jobs.context import JobContext
from services.recorder.jobs.worker import Worker
from services.recorder.media.text_rendering import report_missing_fonts
from services.recorder.room.room_session import RoomAccess
from services.recorder.settings import RecorderSettings
from services.recorder.spool.spool import Spool
from services.recorder.spool.uploader import Uploader
from shared.clock import SystemClock
from shared.egress.job_repository import JobRepository, RecorderRepository
from shared.egress.segments import SegmentRepository
from shared.files.storage import Storage
from shared.http import service_app
from shared.livekit import LiveKitApi, TokenMint, WebhookSigner
from shared.livekit.webhook_sender import WebhookSender
from shared.persistence.mongo import Mongo
from shared.runtime.backoff import until_available
from shared.runtime.health import HEALTH
from shared.runtime.tasks import SUPERVISOR


def build(settings: RecorderSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("recorder", settings, (), clock)
    mongo = Mongo.from_uri(settings.mongodb_uri, expiry=settings.mongodb_expiry)
    spool = Spool(settings.spool)
    recorders = RecorderRepository(mongo)
    context = _context(settings, mongo, spool, clock)

    async def start(app: web.Application, worker: Worker) -> None:
        await until_available(f"{_address(settings)} (GREENROOM_MONGODB_URI)", mongo.check_journal)
        for store in (context.jobs, context.segments, recorders):
            await until_available("indexes", store.ensure_indexes)
        with ThreadPoolExecutor(1) as thread:  # The fonts that it loads are freed with it.
            await asyncio.get_running_loop().run_in_executor(thread, report_missing_fonts)
        supervisor = app[SUPERVISOR]
        supervisor.spawn("uploader", context.uploader.run())
        supervisor.spawn("webhooks", context.webhooks.run())
        supervisor.spawn("heartbeat", worker.heartbeat())
        supervisor.spawn("worker", worker.run())
        app[HEALTH].started = True

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        worker = Worker(spool.open(), context, recorders, max_jobs=settings.max_jobs)
        context.uploader.on_full = worker.storage_is_full
        app[HEALTH].add("mongodb", mongo.ping)
        app[SUPERVISOR].spawn("start", start(app, worker), may_end=True)
        yield
        await worker.stop()
        await app[SUPERVISOR].stop()
        await context.room_access.api.close()
        spool.close()
        mongo.close()

    app.cleanup_ctx.append(lifetime)
    return app


def _context(settings: RecorderSettings, mongo: Mongo, spool: Spool, clock: SystemClock) -> JobContext:
    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    segments = SegmentRepository(mongo)
    storage = Storage.from_url(settings.storage_url, settings.storage_options)
    webhook_url = f"{settings.egress_url}/webhooks/livekit"
    api = LiveKitApi(settings.livekit_api_url, key, secret)
    return JobContext(
        jobs=JobRepository(mongo),
        segments=segments,
        storage=storage,
        uploader=Uploader(spool, storage, segments),
        webhooks=WebhookSender(webhook_url, spool.webhooks, WebhookSigner(key, secret, clock), clock),
        room_access=RoomAccess(settings.livekit_url, api, TokenMint(key, secret, clock)),
        clock=clock,
        x264_preset=settings.x264_preset,
    )


def _address(settings: RecorderSettings) -> str:
    """Where the database is, without credentials."""
    parts = urlsplit(settings.mongodb_uri)
    return f"mongodb at {parts.netloc.rpartition('@')[2]}{parts.path}"
