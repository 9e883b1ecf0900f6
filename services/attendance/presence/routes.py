"""The Attendance group: who is watching, and leaving."""

from datetime import datetime
from typing import Final

from aiohttp import web

from services.attendance.presence.domain import attendance_id
from services.attendance.presence.service import ActiveViewers, PresenceService
from shared.contracts.states import Role
from shared.http import BEARER, READ, WRITE, Data, Reply, Request, Routes, ok

PRESENCE: Final = web.AppKey("presence", PresenceService)

routes = Routes("Attendance")


class ActiveViewerResponse(Data):
    """A person who is watching; `id` is their attendance's, `joined_at` when they joined."""

    id: str
    user_id: str
    username: str
    joined_at: datetime
    role: Role


class ActiveViewersResponse(Data):
    viewers: list[ActiveViewerResponse]
    total: int


@routes.post("/sessions/{id}/leave", access=BEARER, scope=WRITE)
async def leave_session(request: Request) -> Reply[None]:
    """Leave a session.

    Ends the presence of this sign-in and disconnects it; other devices of the same person stay. Also 200 if
    there was nothing to leave.
    """
    await request.service(PRESENCE).leave(request.path_id(), request.caller)
    return ok()


@routes.get("/sessions/{id}/viewers", access=BEARER, scope=READ)
async def list_active_viewers(request: Request) -> Reply[ActiveViewersResponse]:
    """Get active viewers for a session.

    People in the session now, in order of joining, without hosts, co-hosts and monitors; for callers whom the
    preset allows to see them. At most 1,000 are listed; `total` counts all.
    """
    found = await request.service(PRESENCE).viewers(request.path_id(), request.caller)
    return Reply(viewers_response(found))


def viewers_response(found: ActiveViewers) -> ActiveViewersResponse:
    """A role given in the session outranks the one the person joined with."""
    viewers = [
        ActiveViewerResponse(
            id=attendance_id(found.session.id, one.user_id),
            user_id=one.user_id,
            username=one.username,
            joined_at=one.joined_at,
            role=found.session.roles.get(one.user_id, one.role),
        )
        for one in found.presences
    ]
    return ActiveViewersResponse(viewers=viewers, total=found.total)
