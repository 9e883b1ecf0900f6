"""Room tokens: LiveKit's join tokens, for a room that is created with them if need be."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from services.gateway.compat.calls import NativeError
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.rendering import respond
from services.gateway.compat.signalwire.bodies import VideoRoomTokenCreate
from services.gateway.compat.signalwire.errors import invalid, renaming
from services.gateway.compat.signalwire.room_translation import created_room
from services.gateway.compat.signalwire.rooms import room_by_name
from services.gateway.compat.signalwire.token_translation import native_token, room_of_token
from services.gateway.compat.signalwire.validation import read_body
from services.gateway.routing.table import Policy
from shared.http import WRITE

operations: Final = ForeignOperations("/api/video")

_NAME_BYTES: Final = 4


# Customers request one for each of their people; nothing that a cached answer shows changes.
_TOKENS: Final = Policy(body_limit=64 * 1024, keeps_cache=True)


@operations.post("/room_tokens", scope=WRITE, policy=_TOKENS)
async def create_room_token(request: ForeignRequest) -> web.Response:
    body = read_body(request, VideoRoomTokenCreate)
    room = await room_by_name(request, body.room_name) or await _create(request, body)
    token = native_token(body, body.user_name or secrets.token_hex(_NAME_BYTES))
    with renaming({"name": "user_name"}):
        issued = await request.native.post("session", f"/rooms/{room['id']}/tokens", token)
    return respond({"token": issued["livekit_token"]})


async def _create(request: ForeignRequest, body: VideoRoomTokenCreate) -> Mapping[str, Any]:
    """A new room for the token, or the one that another call made meanwhile."""
    if body.auto_create_room is False:
        raise invalid("room_name", "does_not_exist", "does not exist, and auto_create_room is false")
    try:
        with renaming({"title": "room_display_name", "meta": "room_meta"}):
            created = await request.native.post("session", "/rooms", created_room(room_of_token(body)))
    except NativeError as error:
        if error.code != "room_name_taken":
            raise
    else:
        room: Mapping[str, Any] = created["room"]
        return room
    found = await room_by_name(request, body.room_name)
    if found is None:
        raise invalid("room_name", "not_unique_within_project", "is the name of somebody else's room")
    return found
