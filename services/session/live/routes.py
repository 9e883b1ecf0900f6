"""The Sessions group: going live, streaming, and ending."""

from typing import Final

from aiohttp import web

from services.session.live.presenter import RtmpResponse, StartPresenter, StartSessionResponse
from services.session.live.service import LiveService
from shared.http import HOST, WRITE, Reply, Request, Routes, ok

routes = Routes("Sessions")

LIVE: Final = web.AppKey("live", LiveService)
START_PRESENTER: Final = web.AppKey("start_presenter", StartPresenter)


@routes.post("/sessions/{id}/start", access=HOST, scope=WRITE, mirrored=True, idempotent=True)
async def start_session(request: Request) -> Reply[StartSessionResponse]:
    """Start a session.

    Opens the LiveKit room and returns the host's token. For a live session it only returns a token; `rtmp` is
    null then while ingest is unavailable, and a stream key that was given before holds.
    """
    started = await request.service(LIVE).start(request.path_id(), request.caller, request.library_id)
    return Reply(await request.service(START_PRESENTER).respond(started, request.caller))


@routes.post("/sessions/{id}/go_live", access=HOST, scope=WRITE, mirrored=True, idempotent=True)
async def go_live(request: Request) -> Reply[StartSessionResponse]:
    """Go live with a session.

    Starts the session if needed, with HLS, and with a recording if the preset says so. `hls_url` is null
    until there is something to play; if that takes long, stream health gives the reasons. For a live session
    `rtmp` is null while ingest is unavailable.
    """
    started = await request.service(LIVE).go_live(request.path_id(), request.caller, request.library_id)
    return Reply(await request.service(START_PRESENTER).respond(started, request.caller))


@routes.post("/sessions/{id}/start_webcam_hls", access=HOST, scope=WRITE, mirrored=True)
async def start_webcam_hls(request: Request) -> Reply[None]:
    """Start webcam to HLS streaming.

    For a live session in mode `webcam`. A running stream is kept.
    """
    await request.service(LIVE).start_webcam_hls(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.post("/sessions/{id}/ensure_hls_egress", access=HOST, scope=WRITE, mirrored=True)
async def ensure_hls_egress(request: Request) -> Reply[None]:
    """Ensure HLS egress is running.

    A running egress is kept; one that has failed is replaced.
    """
    await request.service(LIVE).restart_stream(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.post("/sessions/{id}/stop_stream", access=HOST, scope=WRITE)
async def stop_stream(request: Request) -> Reply[None]:
    """Stop the stream.

    The session goes on; its stream ends with the recording that it makes. A recording that was started by
    itself goes on. `go_live` and `start_webcam_hls` start a stream again.
    """
    await request.service(LIVE).stop_stream(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.post("/sessions/{id}/rotate_stream_key", access=HOST, scope=WRITE)
async def rotate_stream_key(request: Request) -> Reply[RtmpResponse]:
    """Get a new stream key.

    Everybody in control of the session has a key of their own; an API key is the host. All the keys that the
    caller had are revoked, the host's together with those of API keys; encoders still using one are
    disconnected within a few seconds.
    """
    rotated = request.service(LIVE).rotate_stream_key(request.path_id(), request.caller, request.library_id)
    return Reply(RtmpResponse.of(await rotated))


@routes.post("/sessions/{id}/end", access=HOST, scope=WRITE, mirrored=True)
async def end_session(request: Request) -> Reply[None]:
    """End a session.

    Closes the room and disconnects everybody. Ending it again changes nothing.
    """
    await request.service(LIVE).end(request.path_id(), request.caller, request.library_id)
    return ok()
