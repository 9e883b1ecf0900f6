"""An ingress as LiveKit's `IngressInfo` in protobuf JSON. Pure.

The fields are those of LiveKit's protocol (livekit_ingress.proto); 64-bit integers are strings, times are in
nanoseconds, zero values are left out.
"""

from datetime import datetime
from typing import Any

from services.relay.relay_orders import Order
from shared.ids import new_id
from shared.livekit.timestamps import nanoseconds


def started(order: Order, at: datetime) -> dict[str, Any]:
    """The encoder has begun to publish."""
    state = {"status": "ENDPOINT_PUBLISHING", "startedAt": str(nanoseconds(at))}
    return _webhook("ingress_started", order, at, state)


def ended(order: Order, since: datetime, at: datetime) -> dict[str, Any]:
    """The encoder is gone; an absent status is ENDPOINT_INACTIVE."""
    return _webhook(
        "ingress_ended", order, at, {"startedAt": str(nanoseconds(since)), "endedAt": str(nanoseconds(at))}
    )


def _webhook(event: str, order: Order, at: datetime, state: dict[str, str]) -> dict[str, Any]:
    return {
        "event": event,
        "id": f"EV_{new_id()}",
        "createdAt": str(int(at.timestamp())),
        "ingressInfo": {
            "ingressId": order.ingress_id,
            "roomName": order.room,
            "participantIdentity": order.identity,
            "state": state,
        },
    }
