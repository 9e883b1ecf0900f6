"""Bodies of the operation that the relay calls."""

from typing import Annotated

from pydantic import StringConstraints

from services.egress.ingest.embedded.service import RelayOrder
from shared.http import Body, Data


class RelayOrderRequest(Body):
    """`stream_key` is what the encoder gave."""

    stream_key: Annotated[str, StringConstraints(max_length=255)]


class RelayOrderResponse(Data):
    """The media goes by WHIP to `whip_url`, which holds a token; reports name the rest."""

    ingress_id: str
    room: str
    identity: str
    whip_url: str


def relay_order_response(order: RelayOrder) -> RelayOrderResponse:
    return RelayOrderResponse(
        ingress_id=order.ingress.ingress_id,
        room=order.ingress.room,
        identity=order.ingress.identity,
        whip_url=order.whip_url,
    )
