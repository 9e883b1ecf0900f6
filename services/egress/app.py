"""The composition root of the egress service."""

from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import web

from services.egress.drift import routes as drift_routes
from services.egress.drift.periodic_checks import PeriodicChecks
from services.egress.drift.routes import DRIFT
from services.egress.engines.build import build_engine
from services.egress.ingest import routes as ingest_routes
from services.egress.ingest.consumers import ingest_group
from services.egress.ingest.embedded import routes as relay_routes
from services.egress.ingest.embedded.repository import IngressRepository
from services.egress.ingest.embedded.service import EmbeddedIngresses
from services.egress.ingest.ingress_reconciliation import IngressReconciliation
from services.egress.ingest.ports import Ingresses
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.service import IngestService
from services.egress.reconciler.build import build_reconciler
from services.egress.recordings import routes as recording_routes
from services.egress.settings import EgressSettings
from services.egress.streams import routes as stream_routes
from services.egress.streams.build import build_streams
from services.egress.webhooks import routes as webhook_routes
from services.egress.webhooks.repository import WebhookRepository
from services.egress.webhooks.service import WebhookService
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.files.storage import Storage
from shared.http import Routes, service_app
from shared.http.app import IDEMPOTENCY, INTERNAL_CALLS, REVOCATIONS
from shared.http.idempotency import IdempotencyKeys
from shared.http.revocations import HttpRevocations
from shared.livekit import LiveKitApi, TokenMint, WebhookVerifier
from shared.livekit.lifetime import livekit_lifetime
from shared.persistence.lifetime import service_lifetime
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


def build(settings: EgressSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("egress", settings, TABLES, clock)

    secret = settings.livekit_api_secret.get_secret_value()
    mongo = Mongo.from_uri(settings.mongodb_uri, expiry=settings.mongodb_expiry)
    bus = RabbitBus(settings.amqp_url, service="egress", clock=clock)
    outbox = Outbox(bus, clock, source="/greenroom/egress")
    # Webhooks have an outbox of their own, which has no more to look through: they are in a hurry.
    webhook_outbox = Outbox(bus, clock, source="/greenroom/egress")
    livekit = LiveKitApi(settings.livekit_api_url, settings.livekit_api_key, secret)

    webhook_repository = WebhookRepository(mongo, webhook_outbox)
    ingest_repository = IngestRepository(mongo, clock)
    verifier = WebhookVerifier({settings.livekit_api_key: secret}, clock)
    owner = HttpSessionOwner(settings.session_url, app[INTERNAL_CALLS])
    period = timedelta(seconds=settings.reconcile_period_seconds)
    parts = build_reconciler(livekit, mongo, outbox, owner, clock, period)
    storage = Storage.from_url(settings.storage_url, settings.storage_options)
    engine = build_engine(settings, livekit.egresses(), mongo, clock)
    webhooks = WebhookService(verifier, webhook_repository, clock, observers=[parts.webhook_observer.notice])
    ingress_repository = IngressRepository(mongo)
    mint = TokenMint(settings.livekit_api_key, secret, clock)
    embedded = EmbeddedIngresses(ingress_repository, mint, settings.rtmp_url, settings.livekit_api_url, clock)
    ingresses: Ingresses = embedded if settings.ingest == "embedded" else livekit
    streams = build_streams(settings, parts, engine, storage, livekit, ingresses, mongo, outbox, clock)
    ingests = IngestService(ingresses, ingest_repository)
    ingress_reconciliation = IngressReconciliation(
        ingresses, ingest_repository, ingests, parts.sessions, webhook_repository, clock
    )
    checks = [*streams.checks, ingress_reconciliation]
    periodic_checks = PeriodicChecks(checks, parts.lease, parts.ledger, clock, period=period)

    app[webhook_routes.WEBHOOKS] = webhooks
    app[ingest_routes.INGESTS] = ingests
    app[relay_routes.EMBEDDED_INGRESSES] = embedded
    app[DRIFT] = parts.ledger
    app[IDEMPOTENCY] = idempotency = IdempotencyKeys(mongo, clock)
    streams.install(app)

    async def own_lifetime(app: web.Application) -> AsyncIterator[None]:
        revocations = HttpRevocations(settings.session_url, app[INTERNAL_CALLS])
        app[SUPERVISOR].spawn("revocations", app[REVOCATIONS].follow(revocations))
        yield
        await owner.close()
        await revocations.close()

    async def outbox_lifetime(app: web.Application) -> AsyncIterator[None]:
        app[SUPERVISOR].spawn("reconciler outbox", outbox.run())
        yield
        await outbox.drain(_DRAIN_SECONDS)

    app.cleanup_ctx.append(livekit_lifetime(livekit))
    app.cleanup_ctx.append(own_lifetime)
    app.cleanup_ctx.append(
        service_lifetime(
            mongo=mongo,
            bus=bus,
            outbox=webhook_outbox,
            stores=[
                webhook_repository,
                ingest_repository,
                ingress_repository,
                *parts.stores,
                *streams.stores,
                idempotency,
            ],
            groups=[ingest_group(ingests), *parts.groups, *streams.groups],
        )
    )
    # Last, so that it ends first, while all that it works with is still there.
    app.cleanup_ctx.append(outbox_lifetime)
    app.cleanup_ctx.append(parts.lifetime)
    app.cleanup_ctx.append(streams.lifetime)
    app.cleanup_ctx.append(periodic_checks.lifetime)
    return app
