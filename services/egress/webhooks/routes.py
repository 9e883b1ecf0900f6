from typing import Final

from aiohttp import web

from services.egress.webhooks.service import WebhookService
from shared.http import SIGNED, Reply, Request, Routes, ok

routes = Routes("Webhooks")

WEBHOOKS: Final = web.AppKey("webhooks", WebhookService)


@routes.post("/webhooks/livekit", access=SIGNED)
async def livekit_webhook(request: Request) -> Reply[None]:
    """LiveKit webhook handler.

    The body is protobuf JSON (`application/webhook+json`); `Authorization` is a JWT whose `sha256` claim
    is base64(SHA-256(raw body)). 200: stored now or earlier. 401: wrong signature. 422: no webhook. 503: send
    it again.
    """
    raw = await request.raw.read()
    await request.service(WEBHOOKS).receive(raw, request.raw.headers.get("Authorization"))
    return ok()
