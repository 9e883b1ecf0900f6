"""The composition root of the relay."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.egress.relay import routes
from services.egress.relay.orders import EgressOrders
from services.egress.relay.pump import PipeProcess
from services.egress.relay.relaying import Relaying
from services.egress.relay.service import RELAYS, RelayService
from services.egress.relay.settings import RelaySettings
from services.egress.reports.sender import Reports
from shared.clock import SystemClock
from shared.http import service_app
from shared.http.app import HEALTH, INTERNAL_CALLS, SUPERVISOR
from shared.livekit import WebhookSigner


def build(settings: RelaySettings) -> web.Application:
    clock = SystemClock()
    app = service_app("relay", settings, (routes.routes,), clock)
    signer = WebhookSigner(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value(), clock)
    orders = EgressOrders(settings.egress_url, app[INTERNAL_CALLS])
    reports = Reports(f"{settings.egress_url}/webhooks/livekit", settings.spool, signer, clock)

    pump = PipeProcess(settings.video_kbps)

    def begin(stream_key: str) -> Relaying:
        return Relaying(stream_key, f"{settings.rtmp_url}/{stream_key}", orders, pump, reports, clock)

    app[RELAYS] = relays = RelayService(orders, begin)

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        settings.spool.mkdir(parents=True, exist_ok=True)
        app[SUPERVISOR].spawn("reports", reports.run())
        app[HEALTH].started = True
        yield
        await relays.close()
        await orders.close()

    app.cleanup_ctx.append(lifetime)
    return app
