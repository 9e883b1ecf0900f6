"""Streams and their health, and the HLS itself."""

from typing import Final

from aiohttp import web

from services.egress.streams.directory import StreamDirectory
from services.egress.streams.directory_schemas import (
    PreviewQuery,
    StreamListResponse,
    StreamResponse,
    StreamsQuery,
    stream_list,
    stream_response,
)
from services.egress.streams.health import StreamHealthService
from services.egress.streams.hls_service import PLAYLIST_TYPE, HlsService
from services.egress.streams.schemas import StreamHealthResponse, stream_health_response
from shared.http import ANONYMOUS, HOST, INTERNAL, MODERATOR, READ, Data, Reply, Request, Routes
from shared.http.files import send_file

HEALTH: Final = web.AppKey("stream_health", StreamHealthService)
DIRECTORY: Final = web.AppKey("stream_directory", StreamDirectory)
HLS: Final = web.AppKey("hls", HlsService)

routes = Routes("Sessions")
internal_routes = Routes("Internal")
hls_routes = Routes("Streams")

# Players of other origins show it, browsers as a page of its own, too.
_OPEN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",
}
_SHORT: Final = {"Cache-Control": "public, max-age=1", **_OPEN}
# A viewer keeps what they have seen. Caches that many share ask again after a minute, with an ETag: so a link
# that has ended, or a library that was closed, ends there, too.
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, s-maxage=60, immutable", **_OPEN}
# Longer playlists are compressed, in characters.
_COMPRESSED_FROM: Final = 4096


@routes.get("/sessions/{id}/stream_health", access=MODERATOR, scope=READ, mirrored=True)
async def get_stream_health(request: Request) -> Reply[StreamHealthResponse]:
    """Get stream health info.

    A status with its reasons; room and tracks as LiveKit reports them now.
    """
    service = request.service(HEALTH)
    signals = await service.of(request.path_id(), request.caller, request.library_id)
    return Reply(stream_health_response(signals))


class StreamProblemsResponse(Data):
    problems: list[str]


@internal_routes.get("/internal/streams/{session_id}/problems", access=INTERNAL)
async def get_stream_problems(request: Request) -> Reply[StreamProblemsResponse]:
    """What is wrong with a session's stream now, the worst first."""
    problems = await request.service(HEALTH).problems(request.path_id("session_id"))
    return Reply(StreamProblemsResponse(problems=list(problems)))


@hls_routes.get("/streams/my", access=HOST, scope=READ)
async def list_my_streams(request: Request, query: StreamsQuery) -> Reply[StreamListResponse]:
    """Get my streams.

    Those of the caller's own sessions, the newest session's first; for an API key those of its organization.
    """
    directory = request.service(DIRECTORY)
    found = await directory.list_mine(
        request.caller, query.filter(), own=query.own, cursor=query.cursor, limit=query.limit
    )
    return Reply(stream_list(*found, directory))


@hls_routes.get("/streams/{session_id}", access=HOST, scope=READ)
async def get_stream(request: Request) -> Reply[StreamResponse]:
    """Get the stream of a session.

    404 if none was ever asked for.
    """
    directory = request.service(DIRECTORY)
    stream = await directory.get(request.path_id("session_id"), request.caller)
    return Reply(stream_response(stream, directory))


@hls_routes.get("/hls/{path:.+}", access=ANONYMOUS, secret=("path",))
async def get_hls(request: Request) -> web.StreamResponse:
    """Play a stream.

    `<session id>/live.m3u8` is a sliding window, `<session id>/index.m3u8` the whole stream; segments are
    beside them. If the library is not public, the path begins with a token: see `hls_url`.
    """
    service = request.service(HLS)
    found = await service.find(request.raw.match_info["path"])
    if isinstance(found, str):
        return _playlist_response(found)
    headers = _SHORT if found.content_type == PLAYLIST_TYPE else _FOREVER
    return await send_file(
        request.raw, service.storage, found.key, content_type=found.content_type, headers=headers
    )


@routes.get("/sessions/{id}/preview.jpg", access=ANONYMOUS)
async def get_preview(request: Request, query: PreviewQuery) -> web.StreamResponse:
    """Get the latest picture of the stream.

    A JPEG, up to 640 pixels wide and renewed about every 5 s, for whoever may play the stream. 404 while the
    stream is not live. If the library is not public, it takes the `token` of the session's `preview_url`.
    """
    service = request.service(HLS)
    key = await service.preview(request.path_id(), query.token)
    return await send_file(request.raw, service.storage, key, content_type="image/jpeg", headers=_SHORT)


def _playlist_response(text: str) -> web.Response:
    response = web.Response(text=text, content_type=PLAYLIST_TYPE, headers=_SHORT)
    if len(text) > _COMPRESSED_FROM:
        response.enable_compression()
    return response
