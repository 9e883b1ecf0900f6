"""The composition root of the relay."""

from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from services.relay.relay import EgressStreamKeys, Relay
from services.relay.routes import RELAYS, routes
from services.relay.service import RelayService
from services.relay.settings import RelaySettings
from services.relay.signalling import StereoSignalling
from services.relay.transcoder_process import run_transcoder
from shared.clock import SystemClock
from shared.http import service_app
from shared.http.app import INTERNAL_CALLS
from shared.livekit import WebhookSigner
from shared.livekit.webhook_sender import WebhookSender
from shared.runtime.health import HEALTH
from shared.runtime.tasks import SUPERVISOR


def build(settings: RelaySettings) -> web.Application:
    clock = SystemClock()
    app = service_app("relay", settings, (routes,), clock)
    signer = WebhookSigner(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value(), clock)
    stream_keys = EgressStreamKeys(settings.egress_url, app[INTERNAL_CALLS])
    webhooks = WebhookSender(f"{settings.egress_url}/webhooks/livekit", settings.spool, signer, clock)
    signalling = StereoSignalling(settings.livekit_url)

    def new_relay(stream_key: str) -> Relay:
        source = f"{settings.rtmp_url}/{stream_key}"
        transcoder = partial(run_transcoder, settings.video_kbps, signalling.url)
        return Relay(stream_key, source, stream_keys, transcoder, webhooks, clock)

    app[RELAYS] = relays = RelayService(stream_keys, new_relay)

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        settings.spool.mkdir(parents=True, exist_ok=True)
        await signalling.start()
        app[SUPERVISOR].spawn("webhooks", webhooks.run())
        app[HEALTH].started = True
        yield
        await relays.close()
        await stream_keys.close()
        await signalling.close()

    app.cleanup_ctx.append(lifetime)
    return app
