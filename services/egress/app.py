"""The composition root of the egress service."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.egress.drift import routes as drift_routes
from services.egress.drift.periodic_checks import PeriodicChecks
from services.egress.engines.embedded import EmbeddedEngine
from services.egress.engines.livekit import LiveKitEngine
from services.egress.ingest import routes as ingest_routes
from services.egress.ingest.build import EncoderRights, IngestParts
from services.egress.ingest.embedded import routes as relay_routes
from services.egress.ingest.embedded.repository import IngressRepository
from services.egress.ingest.embedded.service import EmbeddedIngresses
from services.egress.ingest.repository import IngestRepository
from services.egress.reconciler.build import ReconcilerParts
from services.egress.reconciler.room_check import RoomRules
from services.egress.recordings import routes as recording_routes
from services.egress.recordings.housekeeping import RetentionLimits
from services.egress.settings import EgressSettings
from services.egress.streams import routes as stream_routes
from services.egress.streams_and_recordings import Backends, MediaOptions, StreamsAndRecordings
from services.egress.webhooks import routes as webhook_routes
from services.egress.webhooks.service import WebhookRepository, WebhookService
from shared.access.room_permissions import revoked_by
from shared.bus import Bus, Group, OrderedGroup
from shared.bus.rabbit import RabbitBus
from shared.clock import Clock, SystemClock
from shared.egress.engine import Engine
from shared.egress.job_repository import JobRepository, RecorderRepository
from shared.files.storage import Storage
from shared.http import Routes, service_app
from shared.http.app import AUDIT, IDEMPOTENCY, INTERNAL_CALLS, REVOCATIONS
from shared.http.audit import AuditTrail
from shared.http.idempotency import IdempotencyKeys
from shared.http.session_service import (
    EncoderOwners,
    HttpEncoderOwners,
    HttpRevocations,
    HttpSessionOwner,
)
from shared.livekit import LiveKitApi, TokenMint, WebhookVerifier
from shared.livekit.lifetime import livekit_lifetime
from shared.persistence.lifetime import DATABASE, Database, Indexed, service_lifetime
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.tasks import SUPERVISOR

_DRAIN_SECONDS = 1.0

ALL_ROUTES: tuple[Routes, ...] = (
    webhook_routes.routes,
    ingest_routes.routes,
    relay_routes.routes,
    drift_routes.routes,
    stream_routes.routes,
    stream_routes.internal_routes,
    stream_routes.hls_routes,
    recording_routes.routes,
    recording_routes.admin_routes,
)


@dataclass(frozen=True, kw_only=True)
class _Connections(Backends):
    """Webhooks have an outbox of their own, which has no other collections to read: they are urgent."""

    livekit: LiveKitApi
    bus: Bus
    webhook_outbox: Outbox


def build(settings: EgressSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("egress", settings, ALL_ROUTES, clock)
    connections = _connect(settings, clock)
    owner = HttpSessionOwner(settings.session_url, app[INTERNAL_CALLS])
    ingests = IngestRepository(connections.mongo, clock)
    owners = HttpEncoderOwners(settings.session_url, app[INTERNAL_CALLS])
    rights = EncoderRights(owners, app[REVOCATIONS])
    rules = RoomRules(ingests.awaits_encoder, revoked_by(app[REVOCATIONS]))
    reconciler = _reconciler(settings, connections, owner, rules, clock)
    sessions, ledger, lease = reconciler.sessions, reconciler.ledger, reconciler.lease

    webhooks = WebhookRepository(connections.mongo, connections.webhook_outbox)
    own, embedded = _own_ingresses(settings, connections.mongo, owners, clock)
    used = embedded if settings.ingest == "embedded" else None
    ingest = IngestParts(connections.livekit, used, ingests, sessions, webhooks, clock, rights)
    engine, jobs = _engine(settings, connections, clock)
    options, ingresses = media_options(settings), ingest.ingresses
    media = StreamsAndRecordings(options, connections, engine, ingresses, sessions, ledger, clock)
    period = timedelta(seconds=settings.reconcile_period_seconds)
    checks = PeriodicChecks([*media.checks, *ingest.checks], lease, ledger, clock, period=period)

    verifier = WebhookVerifier(settings.livekit_keys, clock)
    observers = [reconciler.webhook_observer.on_webhook]
    app[webhook_routes.WEBHOOKS] = WebhookService(verifier, webhooks, clock, observers=observers)
    app[ingest_routes.INGESTS] = ingest.service
    app[relay_routes.EMBEDDED_INGRESSES] = embedded
    app[drift_routes.DRIFT] = ledger
    app[IDEMPOTENCY] = idempotency = IdempotencyKeys(connections.mongo, clock)
    app[AUDIT] = trail = AuditTrail(connections.mongo, connections.outbox, clock, service="egress")
    media.install(app)
    stores: list[Indexed] = [webhooks, ingests, own, *reconciler.stores, *media.stores, *jobs]
    stores += [idempotency, trail]
    app[DATABASE] = Database(connections.mongo, stores)
    groups = [*ingest.groups, *reconciler.groups, *media.groups]
    _add_lifetimes(app, settings, connections, [owner, owners], groups)
    # Last, so that it ends first, while everything it works with is still there.
    app.cleanup_ctx.extend([reconciler.lifetime, ingest.lifetime, media.lifetime, checks.lifetime])
    return app


def _reconciler(
    settings: EgressSettings,
    connections: _Connections,
    owner: HttpSessionOwner,
    rules: RoomRules,
    clock: Clock,
) -> ReconcilerParts:
    return ReconcilerParts(
        connections.livekit,
        connections.mongo,
        connections.outbox,
        owner,
        clock,
        timedelta(seconds=settings.reconcile_period_seconds),
        rules=rules,
    )


def _connect(settings: EgressSettings, clock: Clock) -> _Connections:
    secret = settings.livekit_api_secret.get_secret_value()
    bus = RabbitBus(settings.amqp_url, service="egress", clock=clock)
    return _Connections(
        mongo=Mongo.from_uri(settings.mongodb_uri, expiry=settings.mongodb_expiry),
        bus=bus,
        livekit=LiveKitApi(settings.livekit_api_url, settings.livekit_api_key, secret),
        storage=Storage.from_url(settings.storage_url, settings.storage_options),
        outbox=Outbox(bus, clock, source="/greenroom/egress"),
        webhook_outbox=Outbox(bus, clock, source="/greenroom/egress"),
    )


def _own_ingresses(
    settings: EgressSettings, mongo: Mongo, owners: EncoderOwners, clock: Clock
) -> tuple[IngressRepository, EmbeddedIngresses]:
    ingresses = IngressRepository(mongo)
    mint = TokenMint(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value(), clock)
    embedded = EmbeddedIngresses(ingresses, mint, settings.rtmp_url, owners, clock)
    return ingresses, embedded


def _engine(
    settings: EgressSettings, connections: _Connections, clock: Clock
) -> tuple[Engine, tuple[Indexed, ...]]:
    """The engine that the settings name, and its stores."""
    if settings.engine == "livekit":
        livekit = connections.livekit
        return LiveKitEngine(
            livekit.egresses(),
            settings.storage_url,
            settings.storage_options,
            list_participants=livekit.list_participants,
        ), ()
    jobs, recorders = JobRepository(connections.mongo), RecorderRepository(connections.mongo)
    return EmbeddedEngine(jobs, recorders, clock), (jobs, recorders)


def media_options(settings: EgressSettings) -> MediaOptions:
    days = settings.streams_kept_days
    return MediaOptions(
        encoding=settings.encoding,
        secret=settings.internal_signing,
        public_url=settings.public_url,
        stream_retention=None if days is None else timedelta(days=days),
        recording_limits=RetentionLimits(
            days=settings.recordings_kept_days, bytes=settings.recordings_quota_bytes
        ),
    )


def _add_lifetimes(
    app: web.Application,
    settings: EgressSettings,
    connections: _Connections,
    owners: Sequence[HttpSessionOwner | HttpEncoderOwners],
    groups: Sequence[Group | OrderedGroup],
) -> None:
    async def calls_lifetime(app: web.Application) -> AsyncIterator[None]:
        revocations = HttpRevocations(settings.session_url, app[INTERNAL_CALLS])
        app[SUPERVISOR].spawn("revocations", app[REVOCATIONS].follow(revocations))
        yield
        for calls in owners:
            await calls.close()
        await revocations.close()

    async def outbox_lifetime(app: web.Application) -> AsyncIterator[None]:
        app[SUPERVISOR].spawn("reconciler outbox", connections.outbox.run())
        yield
        await connections.outbox.drain(_DRAIN_SECONDS)

    service = service_lifetime(bus=connections.bus, outbox=connections.webhook_outbox, groups=groups)
    app.cleanup_ctx.extend([livekit_lifetime(connections.livekit), calls_lifetime, service, outbox_lifetime])
