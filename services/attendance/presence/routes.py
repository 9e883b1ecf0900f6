"""The Attendance group: being there and leaving."""

from typing import Final

from aiohttp import web

from services.attendance.presence.schemas import ActiveViewersResponse, viewers_response
from services.attendance.presence.service import PresenceService
from shared.http import BEARER, Reply, Request, Routes, ok

PRESENCE: Final = web.AppKey("presence", PresenceService)

routes = Routes("Attendance")


@routes.post("/sessions/{id}/leave", access=BEARER)
async def leave_session(request: Request) -> Reply[None]:
    """Leave a session.

    Ends the presence of this sign-in and disconnects it; other devices of the same person stay. Also 200 if
    there was nothing to leave.
    """
    await request.service(PRESENCE).leave(request.path_id(), request.caller)
    return ok()


@routes.get("/sessions/{id}/viewers", access=BEARER)
async def list_active_viewers(request: Request) -> Reply[ActiveViewersResponse]:
    """Get active viewers for a session.

    People in the session now, in order of joining, without hosts, co-hosts and monitors; for callers whom the
    preset allows to see them. At most 1,000 are listed; `total` counts all.
    """
    found = await request.service(PRESENCE).viewers(request.path_id(), request.caller)
    return Reply(viewers_response(found))
