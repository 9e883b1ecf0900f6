"""The Sessions group."""

from typing import Final

from aiohttp import web

from services.session.sessions.encoder_access import EncoderAccess
from services.session.sessions.schemas import (
    CreateSessionRequest,
    CreateSessionResponse,
    DashboardStatsResponse,
    MySessionsQuery,
    MySessionsResponse,
    RescheduleSessionRequest,
    SessionListResponse,
    SessionResponse,
    UpdateSessionSettingsRequest,
)
from services.session.sessions.service import SessionService
from shared.access.encoders import EncoderOwner
from shared.contracts.states import SessionState
from shared.http import (
    BEARER,
    HOST,
    INTERNAL,
    MODERATOR,
    PUBLIC,
    READ,
    WRITE,
    Body,
    Data,
    Reply,
    Request,
    Routes,
    ok,
)
from shared.http.schema import Id, Moment, Page

routes = Routes("Sessions")

SESSIONS: Final = web.AppKey("sessions", SessionService)
ENCODER_ACCESS: Final = web.AppKey("encoder_access", EncoderAccess)


@routes.get("/rooms/{id}/sessions", access=HOST, scope=READ, mirrored=True)
async def list_room_sessions(request: Request, query: Page) -> Reply[SessionListResponse]:
    """List sessions for a room."""
    service = request.service(SESSIONS)
    return Reply(await service.list_of_room(request.path_id(), request.caller, request.library_id, query))


@routes.post("/rooms/{id}/sessions", access=HOST, scope=WRITE, status=201, mirrored=True, idempotent=True)
async def create_session(request: Request, body: CreateSessionRequest) -> Reply[CreateSessionResponse]:
    """Create a new session in a room.

    In mode `rtmp` the answer has the encoder's address and key. The default mode is `webcam`.
    """
    service = request.service(SESSIONS)
    made = await service.create(
        request.reservation, request.path_id(), request.caller, request.library_id, body
    )
    return Reply(made)


@routes.get("/sessions", access=PUBLIC, scope=READ, mirrored=True)
async def list_sessions(request: Request, query: Page) -> Reply[SessionListResponse]:
    """List all sessions.

    Those of public libraries, newest first; `total` is counted up to 10,000.
    """
    return Reply(await request.service(SESSIONS).list_public(request.library_id, query, request.viewer))


@routes.get("/sessions/live", access=PUBLIC, scope=READ, mirrored=True)
async def list_live_sessions(request: Request, query: Page) -> Reply[SessionListResponse]:
    """List currently live sessions."""
    service = request.service(SESSIONS)
    return Reply(await service.list_public(request.library_id, query, request.viewer, live=True))


@routes.get("/sessions/my", access=HOST, scope=READ, mirrored=True)
async def list_my_sessions(request: Request, query: MySessionsQuery) -> Reply[MySessionsResponse]:
    """List my sessions.

    Those of the caller's rooms, newest first, from a cursor: `next_cursor` of the page before.
    """
    return Reply(await request.service(SESSIONS).list_mine(request.library_id, query, request.caller))


@routes.get("/sessions/stats", access=BEARER, scope=READ, mirrored=True)
async def get_session_stats(request: Request) -> Reply[DashboardStatsResponse]:
    """Get dashboard stats.

    Hosts get their organization's numbers, viewers those of the public lists.
    """
    return Reply(await request.service(SESSIONS).stats(request.caller, request.library_id))


@routes.get("/sessions/{id}", access=PUBLIC, scope=READ, mirrored=True)
async def get_session(request: Request) -> Reply[SessionResponse]:
    """Get session by ID."""
    return Reply(await request.service(SESSIONS).get(request.path_id(), request.library_id, request.viewer))


@routes.delete("/sessions/{id}", access=HOST, scope=WRITE, mirrored=True)
async def delete_session(request: Request) -> Reply[None]:
    """Delete a session.

    Refused with 409 while it is live.
    """
    await request.service(SESSIONS).delete(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.patch("/sessions/{id}/reschedule", access=HOST, scope=WRITE, mirrored=True)
async def reschedule_session(request: Request, body: RescheduleSessionRequest) -> Reply[None]:
    """Reschedule a session."""
    service = request.service(SESSIONS)
    await service.reschedule(request.path_id(), request.caller, request.library_id, body)
    return ok()


@routes.patch("/sessions/{id}/settings", access=MODERATOR, scope=WRITE)
async def update_session_settings(request: Request, body: UpdateSessionSettingsRequest) -> Reply[None]:
    """Update session runtime settings.

    Absent fields are kept, null returns to the preset's value.
    """
    await request.service(SESSIONS).configure(request.path_id(), request.caller, body)
    return ok()


class EncoderRequest(Body):
    """Whose encoder it is, and when they asked for its key; by default it is the host's, from whenever."""

    user_id: Id | None = None
    key_id: Id | None = None
    asked_at: Moment | None = None


class EncoderResponse(Data):
    username: str


@routes.post("/internal/sessions/{id}/encoders", access=INTERNAL)
async def authorize_encoder(request: Request, body: EncoderRequest) -> Reply[EncoderResponse]:
    """Whether somebody's encoder may send: 401, 403, 404 or 409 if they could not ask for its key again."""
    owner = EncoderOwner(body.user_id, body.key_id) if body.user_id else None
    access = request.service(ENCODER_ACCESS)
    _, caller = await access.authorize(request.path_id(), owner, body.asked_at)
    return Reply(EncoderResponse(username=caller.username))


@routes.get("/internal/sessions/{id}", access=INTERNAL)
async def get_session_state(request: Request) -> Reply[SessionState]:
    """The session's state for a service whose projection has not seen it."""
    return Reply(await request.service(SESSIONS).state(request.path_id()))
