"""Rooms."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.rendering import respond
from shared.http import READ

operations: Final = ForeignOperations("/v2")


@operations.get("/rooms", scope=READ)
async def list_rooms(request: ForeignRequest) -> web.Response:
    limit = int(request.query.get("limit", "10"))
    query = {"limit": limit, "cursor": request.query.get("start"), "name": request.query.get("name")}
    found = await request.native.get("session", "/rooms/my", query)
    rooms = [_room(one) for one in found["rooms"]]
    return respond({"limit": limit, "data": rooms, "last": rooms[-1]["id"] if rooms else ""})


def _room(room: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": room["id"],
        "name": room.get("name") or room["id"],
        "enabled": room.get("enabled", True),
        "description": room["description"] or "",
        "created_at": room["created_at"],
        "updated_at": room["updated_at"],
    }
