"""The Sessions group."""

from typing import Final

from aiohttp import web

from services.session.live.service import LiveService
from services.session.sessions.schemas import (
    CreateSessionRequest,
    CreateSessionResponse,
    DashboardStatsResponse,
    IssueTokensRequest,
    IssueTokensResponse,
    JoinSessionResponse,
    RescheduleSessionRequest,
    RtmpResponse,
    SessionListResponse,
    SessionResponse,
    StartSessionResponse,
    UpdateSessionSettingsRequest,
)
from services.session.sessions.service import SessionService
from services.session.tokens.service import Admission
from shared.contracts.states import SessionState
from shared.http import BEARER, HOST, INTERNAL, MODERATOR, PUBLIC, Reply, Request, Routes, ok
from shared.http.schema import Page

routes = Routes("Sessions")

ADMISSION: Final = web.AppKey("admission", Admission)
SESSIONS: Final = web.AppKey("sessions", SessionService)
LIVE: Final = web.AppKey("live", LiveService)


@routes.get("/rooms/{id}/sessions", access=HOST, mirrored=True)
async def list_room_sessions(request: Request, query: Page) -> Reply[SessionListResponse]:
    """List sessions for a room."""
    service = request.service(SESSIONS)
    return Reply(await service.list_of_room(request.path_id(), request.caller, request.library_id, query))


@routes.post("/rooms/{id}/sessions", access=HOST, status=201, mirrored=True, idempotent=True)
async def create_session(request: Request, body: CreateSessionRequest) -> Reply[CreateSessionResponse]:
    """Create a new session in a room.

    In mode `rtmp` the answer has the encoder's address and key. The default mode is `webcam`.
    """
    service = request.service(SESSIONS)
    made = await service.create(
        request.reservation, request.path_id(), request.caller, request.library_id, body
    )
    return Reply(made)


@routes.get("/sessions", access=PUBLIC, mirrored=True)
async def list_sessions(request: Request, query: Page) -> Reply[SessionListResponse]:
    """List all sessions.

    Those of public libraries, newest first; `total` is counted up to 10,000.
    """
    return Reply(await request.service(SESSIONS).list_public(request.library_id, query, request.viewer))


@routes.get("/sessions/live", access=PUBLIC, mirrored=True)
async def list_live_sessions(request: Request, query: Page) -> Reply[SessionListResponse]:
    """List currently live sessions."""
    service = request.service(SESSIONS)
    return Reply(await service.list_public(request.library_id, query, request.viewer, live=True))


@routes.get("/sessions/stats", access=BEARER, mirrored=True)
async def get_session_stats(request: Request) -> Reply[DashboardStatsResponse]:
    """Get dashboard stats.

    Hosts get their organization's numbers, viewers those of the public lists.
    """
    return Reply(await request.service(SESSIONS).stats(request.caller, request.library_id))


@routes.get("/sessions/{id}", access=PUBLIC, mirrored=True)
async def get_session(request: Request) -> Reply[SessionResponse]:
    """Get session by ID."""
    return Reply(await request.service(SESSIONS).get(request.path_id(), request.library_id, request.viewer))


@routes.delete("/sessions/{id}", access=HOST, mirrored=True)
async def delete_session(request: Request) -> Reply[None]:
    """Delete a session.

    Refused with 409 while it is live.
    """
    await request.service(SESSIONS).delete(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.post("/sessions/{id}/join", access=BEARER, mirrored=True)
async def join_session(request: Request) -> Reply[JoinSessionResponse]:
    """Join a session (get LiveKit token).

    The token is valid for 10 minutes; connections made with it stay. The session must be live.
    """
    return Reply(await request.service(ADMISSION).join(request.path_id(), request.caller, request.library_id))


@routes.post("/sessions/{id}/start", access=HOST, mirrored=True, idempotent=True)
async def start_session(request: Request) -> Reply[StartSessionResponse]:
    """Start a session.

    Opens the LiveKit room and returns the host's token. For a live session it only returns a token.
    """
    return Reply(await request.service(LIVE).start(request.path_id(), request.caller, request.library_id))


@routes.post("/sessions/{id}/go_live", access=HOST, mirrored=True, idempotent=True)
async def go_live(request: Request) -> Reply[StartSessionResponse]:
    """Go live with a session.

    Starts the session if needed, with HLS, and with a recording if the preset says so. `hls_url` is null
    until there is something to play; if that takes long, stream health gives the reasons.
    """
    return Reply(await request.service(LIVE).go_live(request.path_id(), request.caller, request.library_id))


@routes.post("/sessions/{id}/start_webcam_hls", access=HOST, mirrored=True)
async def start_webcam_hls(request: Request) -> Reply[None]:
    """Start webcam to HLS streaming.

    For a live session in mode `webcam`. A running stream is kept.
    """
    await request.service(LIVE).start_webcam_hls(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.post("/sessions/{id}/ensure_hls_egress", access=HOST, mirrored=True)
async def ensure_hls_egress(request: Request) -> Reply[None]:
    """Ensure HLS egress is running.

    A running egress is kept; one that has failed is replaced.
    """
    await request.service(LIVE).ensure_stream(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.post("/sessions/{id}/rotate_stream_key", access=HOST)
async def rotate_stream_key(request: Request) -> Reply[RtmpResponse]:
    """Get a new stream key.

    The old key is revoked; an encoder still using it is disconnected within a few seconds.
    """
    rotated = request.service(LIVE).rotate_stream_key(request.path_id(), request.caller, request.library_id)
    return Reply(await rotated)


@routes.post("/sessions/{id}/end", access=HOST, mirrored=True)
async def end_session(request: Request) -> Reply[None]:
    """End a session.

    Closes the room and disconnects everybody. Ending it again changes nothing.
    """
    await request.service(LIVE).end(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.patch("/sessions/{id}/reschedule", access=HOST, mirrored=True)
async def reschedule_session(request: Request, body: RescheduleSessionRequest) -> Reply[None]:
    """Reschedule a session."""
    service = request.service(SESSIONS)
    await service.reschedule(request.path_id(), request.caller, request.library_id, body)
    return ok()


@routes.patch("/sessions/{id}/settings", access=MODERATOR)
async def update_session_settings(request: Request, body: UpdateSessionSettingsRequest) -> Reply[None]:
    """Update session runtime settings.

    Absent fields are kept, null returns to the preset's value.
    """
    await request.service(SESSIONS).configure(request.path_id(), request.caller, body)
    return ok()


@routes.get("/sessions/{id}/monitor", access=MODERATOR, mirrored=True, conflicts=True)
async def monitor_session(request: Request) -> Reply[JoinSessionResponse]:
    """Get monitor token for a session.

    For a hidden participant that only subscribes and is not counted.
    """
    return Reply(
        await request.service(ADMISSION).monitor(request.path_id(), request.caller, request.library_id)
    )


@routes.post("/sessions/{id}/tokens", access=HOST, status=201, idempotent=True)
async def issue_tokens(request: Request, body: IssueTokensRequest) -> Reply[IssueTokensResponse]:
    """Issue a join token for one of the customer's users.

    For API keys: a customer's backend gives its own users access. The user is identified by
    `external_user_id` within the organization and created on first use.
    """
    return Reply(await request.service(ADMISSION).issue_tokens(request.path_id(), request.caller, body))


@routes.get("/internal/sessions/{id}", access=INTERNAL)
async def get_session_state(request: Request) -> Reply[SessionState]:
    """The session's state for a service whose projection has not seen it."""
    return Reply(await request.service(SESSIONS).state(request.path_id()))
