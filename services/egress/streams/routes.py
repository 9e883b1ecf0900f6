"""Stream health, and the HLS itself."""

from aiohttp import web

from services.egress.streams.health import HEALTH
from services.egress.streams.hls_service import HLS
from services.egress.streams.schemas import StreamHealthResponse
from shared.http import ANONYMOUS, MODERATOR, Reply, Request, Routes

routes = Routes("Sessions")
hls_routes = Routes("Streams")


@routes.get("/sessions/{id}/stream_health", access=MODERATOR, mirrored=True)
async def get_stream_health(request: Request) -> Reply[StreamHealthResponse]:
    """Get stream health info.

    A status with its reasons; room and tracks as LiveKit reports them now.
    """
    service = request.service(HEALTH)
    return Reply(await service.of(request.path_id(), request.caller, request.library_id))


@hls_routes.get("/hls/{path:.+}", access=ANONYMOUS)
async def get_hls(request: Request) -> web.StreamResponse:
    """Play a stream.

    `<session id>/live.m3u8` is a sliding window, `<session id>/index.m3u8` the whole stream; segments are
    beside them. If the library is not public, the path begins with a token: see `hls_url`.
    """
    return await request.service(HLS).send(request.raw, request.raw.match_info["path"])
