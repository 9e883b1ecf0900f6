"""The composition root of the egress service."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.egress.drift import routes as drift_routes
from services.egress.drift.periodic_checks import PeriodicChecks
from services.egress.engines.build import EngineParts, embedded_engine, livekit_engine
from services.egress.ingest import routes as ingest_routes
from services.egress.ingest.build import build_ingest
from services.egress.ingest.consumers import ingest_group
from services.egress.ingest.embedded import routes as relay_routes
from services.egress.ingest.embedded.repository import IngressRepository
from services.egress.ingest.embedded.service import EmbeddedIngresses
from services.egress.ingest.ports import Ingresses
from services.egress.media.build import MediaOptions, build_media
from services.egress.reconciler.build import build_reconciler
from services.egress.recordings import routes as recording_routes
from services.egress.recordings.housekeeping import RetentionLimits
from services.egress.settings import EgressSettings
from services.egress.streams import routes as stream_routes
from services.egress.webhooks import routes as webhook_routes
from services.egress.webhooks.repository import WebhookRepository
from services.egress.webhooks.service import WebhookService
from shared.bus import Bus, Group, OrderedGroup
from shared.bus.rabbit import RabbitBus
from shared.clock import Clock, SystemClock
from shared.files.storage import Storage
from shared.http import Routes, service_app
from shared.http.app import IDEMPOTENCY, INTERNAL_CALLS, REVOCATIONS
from shared.http.idempotency import IdempotencyKeys
from shared.http.revocations import HttpRevocations
from shared.livekit import LiveKitApi, TokenMint, WebhookVerifier
from shared.livekit.lifetime import livekit_lifetime
from shared.persistence.lifetime import Indexed, service_lifetime
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.supervisor import SUPERVISOR
from shared.session_projection.owner import HttpSessionOwner

_DRAIN_SECONDS = 1.0

TABLES: tuple[Routes, ...] = (
    webhook_routes.routes,
    ingest_routes.routes,
    relay_routes.routes,
    drift_routes.routes,
    stream_routes.routes,
    stream_routes.hls_routes,
    recording_routes.routes,
    recording_routes.admin_routes,
)


@dataclass(frozen=True)
class _Connections:
    """Webhooks have an outbox of their own, which has no other collections to read: they are urgent."""

    mongo: Mongo
    bus: Bus
    livekit: LiveKitApi
    storage: Storage
    outbox: Outbox
    webhook_outbox: Outbox


def build(settings: EgressSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("egress", settings, TABLES, clock)
    to = _connect(settings, clock)
    secret = settings.livekit_api_secret.get_secret_value()
    period = timedelta(seconds=settings.reconcile_period_seconds)

    owner = HttpSessionOwner(settings.session_url, app[INTERNAL_CALLS])
    reconciler = build_reconciler(to.livekit, to.mongo, to.outbox, owner, clock, period)
    webhooks = WebhookRepository(to.mongo, to.webhook_outbox)
    own_ingresses = IngressRepository(to.mongo)
    mint = TokenMint(settings.livekit_api_key, secret, clock)
    embedded = EmbeddedIngresses(own_ingresses, mint, settings.rtmp_url, settings.livekit_api_url, clock)
    ingresses: Ingresses = embedded if settings.ingest == "embedded" else to.livekit
    ingest = build_ingest(ingresses, reconciler.sessions, webhooks, to.mongo, clock)
    engine = _engine(settings, to, clock)
    media = build_media(
        media_options(settings),
        reconciler,
        engine,
        to.livekit,
        ingresses,
        to.storage,
        to.mongo,
        to.outbox,
        clock,
    )
    checks = PeriodicChecks(
        [*media.checks, ingest.check], reconciler.lease, reconciler.ledger, clock, period=period
    )

    verifier = WebhookVerifier({settings.livekit_api_key: secret}, clock)
    observers = [reconciler.webhook_observer.notice]
    app[webhook_routes.WEBHOOKS] = WebhookService(verifier, webhooks, clock, observers=observers)
    app[ingest_routes.INGESTS] = ingest.service
    app[relay_routes.EMBEDDED_INGRESSES] = embedded
    app[drift_routes.DRIFT] = reconciler.ledger
    app[IDEMPOTENCY] = idempotency = IdempotencyKeys(to.mongo, clock)
    media.install(app)
    stores: list[Indexed] = [
        webhooks,
        ingest.repository,
        own_ingresses,
        *reconciler.stores,
        *media.stores,
        idempotency,
    ]
    groups = [ingest_group(ingest.service), *reconciler.groups, *media.groups]
    _add_lifetimes(app, settings, to, owner, stores, groups)
    # Last, so that it ends first, while everything it works with is still there.
    app.cleanup_ctx.extend([reconciler.lifetime, media.lifetime, checks.lifetime])
    return app


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


def _engine(settings: EgressSettings, to: _Connections, clock: Clock) -> EngineParts:
    if settings.engine == "embedded":
        return embedded_engine(to.mongo, clock)
    return livekit_engine(to.livekit.egresses(), settings.storage_url, settings.storage_options)


def media_options(settings: EgressSettings) -> MediaOptions:
    days = settings.streams_kept_days
    return MediaOptions(
        encoding=settings.encoding,
        secret=settings.internal_secret.get_secret_value(),
        public_url=settings.public_url,
        stream_retention=None if days is None else timedelta(days=days),
        recording_limits=RetentionLimits(
            days=settings.recordings_kept_days, bytes=settings.recordings_quota_bytes
        ),
    )


def _add_lifetimes(
    app: web.Application,
    settings: EgressSettings,
    to: _Connections,
    owner: HttpSessionOwner,
    stores: Sequence[Indexed],
    groups: Sequence[Group | OrderedGroup],
) -> None:
    async def calls_lifetime(app: web.Application) -> AsyncIterator[None]:
        revocations = HttpRevocations(settings.session_url, app[INTERNAL_CALLS])
        app[SUPERVISOR].spawn("revocations", app[REVOCATIONS].follow(revocations))
        yield
        await owner.close()
        await revocations.close()

    async def outbox_lifetime(app: web.Application) -> AsyncIterator[None]:
        app[SUPERVISOR].spawn("reconciler outbox", to.outbox.run())
        yield
        await to.outbox.drain(_DRAIN_SECONDS)

    service = service_lifetime(
        mongo=to.mongo, bus=to.bus, outbox=to.webhook_outbox, stores=stores, groups=groups
    )
    app.cleanup_ctx.extend([livekit_lifetime(to.livekit), calls_lifetime, service, outbox_lifetime])
