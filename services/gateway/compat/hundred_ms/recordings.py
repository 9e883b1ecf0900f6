"""Recordings of active rooms."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from services.gateway.compat.calls import NativeError
from services.gateway.compat.hundred_ms.beam_translation import (
    RECORDING_STATUSES,
    RUNS,
    listed_recording,
    recording,
    recording_runs,
    recording_status,
)
from services.gateway.compat.hundred_ms.errors import invalid_body
from services.gateway.compat.hundred_ms.live_session import live_session
from services.gateway.compat.hundred_ms.paging import BeamListQuery, respond_with_page
from services.gateway.compat.hundred_ms.validation import read_body, read_query
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_recording
from services.gateway.compat.rendering import respond
from shared.http import READ, WRITE, Body

Native = Mapping[str, Any]

operations: Final = ForeignOperations("/v2")

# A session is recorded once at a time: so few run that all of them are asked for, to tell them apart.
_MOST_RUNNING: Final = 1000
_NOT_RECORDED: Final = "recording_not_active"


class RecordingStart(Body):
    """The other published fields choose what Greenroom has one of."""

    audio_only: bool = False


@operations.post("/recordings/room/{room_id}/start", scope=WRITE)
async def start_recording(request: ForeignRequest) -> web.Response:
    if read_body(request, RecordingStart).audio_only:
        raise invalid_body("audio_only", "is not possible here")
    session = await live_session(request)
    started = await request.native.post("egress", f"/sessions/{session['id']}/recordings/start")
    return respond(recording(started).model_dump())


@operations.post("/recordings/room/{room_id}/stop", scope=WRITE)
async def stop_room_recordings(request: ForeignRequest) -> web.Response:
    """All that run: one at most."""
    session = await live_session(request)
    try:
        stopped = [recording(await _stop(request, session["id"])).model_dump()]
    except NativeError as error:
        if error.code != _NOT_RECORDED:
            raise
        stopped = []
    return respond_with_page(stopped, None)


@operations.get("/recordings", scope=READ)
async def list_recordings(request: ForeignRequest) -> web.Response:
    query = read_query(request, BeamListQuery)
    if query.matches_nothing:
        return respond_with_page([], None, query.limit)
    statuses = RECORDING_STATUSES[query.status] if query.status else None
    limit = _MOST_RUNNING if statuses == (RUNS,) else query.limit
    wanted = {**query.native, "status": statuses, "limit": limit}
    found = await request.native.get("egress", "/recordings/my", wanted)
    fitting = [one for one in found["recordings"] if query.status in {None, recording_status(one)}]
    page, rest = fitting[: query.limit], fitting[query.limit :]
    last = page[-1]["id"] if rest else found["next_cursor"]
    return respond_with_page([listed_recording(one).model_dump() for one in page], last, query.limit)


@operations.get("/recordings/{recording_id}", scope=READ)
async def get_recording(request: ForeignRequest) -> web.Response:
    return respond(recording(await own_recording(request, request.parameters["recording_id"])).model_dump())


@operations.post("/recordings/{recording_id}/stop", scope=WRITE)
async def stop_recording(request: ForeignRequest) -> web.Response:
    """One that is over stays as it is."""
    found = await own_recording(request, request.parameters["recording_id"])
    if recording_runs(found):
        found = await _stop(request, found["session_id"])
    return respond(recording(found).model_dump())


async def _stop(request: ForeignRequest, session_id: str) -> Native:
    stopped: Native = await request.native.post("egress", f"/sessions/{session_id}/recordings/stop")
    return stopped
