"""The composition root of the relay."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.relay import routes
from services.relay.relay import Relaying
from services.relay.relay_orders import EgressOrders
from services.relay.service import RELAYS, RelayService
from services.relay.settings import RelaySettings
from services.relay.transcoder_process import PipeProcess
from shared.clock import SystemClock
from shared.http import service_app
from shared.http.app import INTERNAL_CALLS
from shared.livekit import WebhookSigner
from shared.livekit.webhook_sender import WebhookSender
from shared.runtime.health import HEALTH
from shared.runtime.supervisor import SUPERVISOR


def build(settings: RelaySettings) -> web.Application:
    clock = SystemClock()
    app = service_app("relay", settings, (routes.routes,), clock)
    signer = WebhookSigner(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value(), clock)
    orders = EgressOrders(settings.egress_url, app[INTERNAL_CALLS])
    webhooks = WebhookSender(f"{settings.egress_url}/webhooks/livekit", settings.spool, signer, clock)

    pump = PipeProcess(settings.video_kbps)

    def begin(stream_key: str) -> Relaying:
        return Relaying(stream_key, f"{settings.rtmp_url}/{stream_key}", orders, pump, webhooks, clock)

    app[RELAYS] = relays = RelayService(orders, begin)

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        settings.spool.mkdir(parents=True, exist_ok=True)
        app[SUPERVISOR].spawn("webhooks", webhooks.run())
        app[HEALTH].started = True
        yield
        await relays.close()
        await orders.close()

    app.cleanup_ctx.append(lifetime)
    return app
