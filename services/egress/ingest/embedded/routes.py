"""The operation that the relay calls."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import StringConstraints

from services.egress.ingest.embedded.service import EmbeddedIngresses
from shared.http import INTERNAL, Body, Data, Reply, Request, Routes
from shared.livekit.ports import IngressInput

routes = Routes("Internal")

EMBEDDED_INGRESSES: Final = web.AppKey("embedded_ingresses", EmbeddedIngresses)


class RelayOrderRequest(Body):
    """`stream_key` is what the encoder gave; `input` is missing before anything came."""

    stream_key: Annotated[str, StringConstraints(max_length=255)]
    input: IngressInput | None = None


class RelayOrderResponse(Data):
    """The media goes into `room`, which `token` lets join; reports name the rest."""

    ingress_id: str
    room: str
    identity: str
    token: str


@routes.post("/internal/relay-orders", access=INTERNAL)
async def relay_order(request: Request, body: RelayOrderRequest) -> Reply[RelayOrderResponse]:
    """Where the media sent under a stream key goes; 404 for a key that is unknown or revoked."""
    order = await request.service(EMBEDDED_INGRESSES).order(body.stream_key, body.input)
    ingress = order.ingress
    return Reply(
        RelayOrderResponse(
            ingress_id=ingress.ingress_id,
            room=ingress.room,
            identity=ingress.identity,
            token=order.token,
        )
    )
