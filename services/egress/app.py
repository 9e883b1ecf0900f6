"""The composition root of the egress service."""

from aiohttp import web

from services.egress.ingest import routes as ingest_routes
from services.egress.ingest.consumers import ingest_group
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.service import INGESTS, IngestService
from services.egress.settings import EgressSettings
from services.egress.webhooks import routes as webhook_routes
from services.egress.webhooks.repository import WebhookRepository
from services.egress.webhooks.service import WEBHOOKS, WebhookService
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.http import Routes, service_app
from shared.lifetime import service_lifetime
from shared.livekit import LiveKitApi, WebhookVerifier
from shared.livekit.lifetime import livekit_lifetime
from shared.mongo import Mongo
from shared.outbox import Outbox

TABLES: tuple[Routes, ...] = (webhook_routes.routes, ingest_routes.routes)


def build(settings: EgressSettings) -> web.Application:
    clock = SystemClock()
    secret = settings.livekit_api_secret.get_secret_value()
    mongo = Mongo.from_uri(settings.mongodb_uri)
    bus = RabbitBus(settings.amqp_url, service="egress", clock=clock)
    outbox = Outbox(bus, clock, source="/greenroom/egress")
    livekit = LiveKitApi(settings.livekit_api_url, settings.livekit_api_key, secret)

    webhook_repository = WebhookRepository(mongo, outbox)
    ingest_repository = IngestRepository(mongo, clock)
    verifier = WebhookVerifier({settings.livekit_api_key: secret}, clock)
    webhooks = WebhookService(verifier, webhook_repository, clock)
    ingests = IngestService(livekit, ingest_repository)

    app = service_app("egress", settings, TABLES, clock)
    app[WEBHOOKS] = webhooks
    app[INGESTS] = ingests
    app.cleanup_ctx.append(livekit_lifetime(livekit))
    app.cleanup_ctx.append(
        service_lifetime(
            mongo=mongo,
            bus=bus,
            outbox=outbox,
            stores=[webhook_repository, ingest_repository],
            groups=[ingest_group(ingests)],
        )
    )
    return app
