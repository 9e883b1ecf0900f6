from services.egress.webhooks.service import WEBHOOKS
from shared.http import SIGNED, Reply, Request, Routes, ok

routes = Routes("Webhooks")


@routes.post("/webhooks/livekit", access=SIGNED)
async def livekit_webhook(request: Request) -> Reply[None]:
    """LiveKit webhook handler.

    The body is protobuf JSON (`application/webhook+json`); `Authorization` is a JWT whose `sha256` claim
    is base64(SHA-256(raw body)). 200: stored now or earlier. 503: send it again.
    """
    raw = await request.raw.read()
    await request.service(WEBHOOKS).take_in(raw, request.raw.headers.get("Authorization"))
    return ok()
