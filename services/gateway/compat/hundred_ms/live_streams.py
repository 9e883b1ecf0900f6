"""Live streams: HLS of active rooms. A session has one, whose id is its own."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from services.gateway.compat.calls import NativeError
from services.gateway.compat.hundred_ms.beam_translation import (
    STREAM_STATUSES,
    live_stream,
    starting_stream,
    stream_is_over,
)
from services.gateway.compat.hundred_ms.live_session import live_session
from services.gateway.compat.hundred_ms.paging import BeamListQuery, respond_with_page
from services.gateway.compat.hundred_ms.validation import read_query
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_session
from services.gateway.compat.rendering import respond
from shared.errors import NotFound
from shared.http import READ, WRITE
from shared.ids import is_id

Native = Mapping[str, Any]

operations: Final = ForeignOperations("/v2")


@operations.post("/live-streams/room/{room_id}/start", scope=WRITE)
async def start_stream(request: ForeignRequest) -> web.Response:
    """One that runs is kept."""
    session = await live_session(request)
    await request.native.post("session", f"/sessions/{session['id']}/ensure_hls_egress")
    stream = await _of_session(request, session["id"])
    return respond((starting_stream(session) if stream is None else live_stream(stream)).model_dump())


@operations.post("/live-streams/room/{room_id}/stop", scope=WRITE)
async def stop_room_streams(request: ForeignRequest) -> web.Response:
    """All that run: one at most."""
    session = await live_session(request)
    stream = await _of_session(request, session["id"])
    if stream is None or stream_is_over(stream):
        return respond_with_page([], None)
    return respond_with_page([live_stream(await _stop(request, stream)).model_dump()], None)


@operations.get("/live-streams", scope=READ)
async def list_streams(request: ForeignRequest) -> web.Response:
    query = read_query(request, BeamListQuery)
    statuses = STREAM_STATUSES[query.status] if query.status else None
    if query.matches_nothing or statuses == ():
        return respond_with_page([], None, query.limit)
    found = await request.native.get("egress", "/streams/my", query.native | {"status": statuses})
    streams = [live_stream(one).model_dump() for one in found["streams"]]
    return respond_with_page(streams, found["next_cursor"], query.limit)


@operations.get("/live-streams/{stream_id}", scope=READ)
async def get_stream(request: ForeignRequest) -> web.Response:
    return respond(live_stream(await _find(request)).model_dump())


@operations.post("/live-streams/{stream_id}/stop", scope=WRITE)
async def stop_stream(request: ForeignRequest) -> web.Response:
    """One that is over stays as it is."""
    stream = await _find(request)
    if not stream_is_over(stream):
        stream = await _stop(request, stream)
    return respond(live_stream(stream).model_dump())


async def _find(request: ForeignRequest) -> Native:
    id = request.parameters["stream_id"]
    if not is_id(id):
        raise NotFound.of("stream")
    stream: Native | None
    stream, _ = await asyncio.gather(_of_session(request, id), own_session(request, id))
    if stream is None:
        raise NotFound.of("stream")
    return stream


async def _of_session(request: ForeignRequest, session_id: str) -> Native | None:
    try:
        stream: Native = await request.native.get("egress", f"/streams/{session_id}")
    except NativeError as error:
        if error.status == 404:
            return None
        raise
    return stream


async def _stop(request: ForeignRequest, stream: Native) -> Native:
    """The stream, which is ending: what was asked for is heard of a moment later."""
    await request.native.post("session", f"/sessions/{stream['session_id']}/stop_stream")
    return {**stream, "status": "ending"}
