"""The session of an active room."""

from collections.abc import Mapping
from typing import Any

from services.gateway.compat.calls import QueryParameters
from services.gateway.compat.operations import ForeignRequest
from shared.errors import NotFound
from shared.ids import is_id


async def live_session(request: ForeignRequest) -> Mapping[str, Any]:
    """The live session of the path's `room_id`; raises `NotFound` if it has none, or is somebody else's."""
    room_id = request.parameters["room_id"]
    if is_id(room_id):
        wanted: QueryParameters = {"room_id": room_id, "status": "live", "limit": 1}
        for session in (await request.native.get("session", "/sessions/my", wanted))["sessions"]:
            found: Mapping[str, Any] = session
            return found
    raise NotFound("There is no active session in this room", code="active_session_not_found")
