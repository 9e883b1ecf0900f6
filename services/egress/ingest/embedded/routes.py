from typing import Final

from aiohttp import web

from services.egress.ingest.embedded.schemas import (
    RelayOrderRequest,
    RelayOrderResponse,
    relay_order_response,
)
from services.egress.ingest.embedded.service import EmbeddedIngresses
from shared.http import INTERNAL, Reply, Request, Routes

routes = Routes("Internal")

EMBEDDED_INGRESSES: Final = web.AppKey("embedded_ingresses", EmbeddedIngresses)


@routes.post("/internal/relay-orders", access=INTERNAL)
async def relay_order(request: Request, body: RelayOrderRequest) -> Reply[RelayOrderResponse]:
    """Where the media sent under a stream key goes; 404 for a key that is unknown or revoked."""
    order = await request.service(EMBEDDED_INGRESSES).order(body.stream_key)
    return Reply(relay_order_response(order))
