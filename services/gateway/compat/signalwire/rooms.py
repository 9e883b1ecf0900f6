"""Rooms, by id or by name."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from services.gateway.compat.calls import NativeError, QueryParameters
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_room
from services.gateway.compat.rendering import no_content, respond
from services.gateway.compat.signalwire.bodies import (
    VideoMoment,
    VideoRoomCreate,
    VideoRoomUpdate,
    is_room_name,
)
from services.gateway.compat.signalwire.paging import PageQuery, page_of, respond_with_page
from services.gateway.compat.signalwire.room_translation import changed_room, created_room, video_room
from services.gateway.compat.signalwire.session_translation import video_active_session
from services.gateway.compat.signalwire.validation import read_body, read_query
from services.gateway.http.request_body import BadRequest
from shared.errors import NotFound
from shared.http import READ, WRITE, Query
from shared.ids import is_id

Native = Mapping[str, Any]

operations: Final = ForeignOperations("/api/video")

_MOST_AT_ONCE: Final = 1000


class RoomQuery(Query):
    include_active_session: bool = False


class RoomListQuery(PageQuery, RoomQuery):
    starts_after: VideoMoment | None = None
    ends_before: VideoMoment | None = None


@operations.get("/rooms", scope=READ)
async def list_rooms(request: ForeignRequest) -> web.Response:
    query = read_query(request, RoomListQuery)
    page = page_of(request, query)
    wanted = {
        "join_from_after": query.starts_after,
        "join_until_before": query.ends_before,
        "limit": page.size,
        "cursor": page.cursor,
    }
    found, live = await asyncio.gather(
        request.native.get("session", "/rooms/my", wanted),
        _live_by_room(request) if query.include_active_session else _nothing(),
    )
    rooms = [_shown(room, live.get(room["id"])) for room in found["rooms"]]
    return respond_with_page(request, page, rooms, found["next_cursor"])


@operations.post("/rooms", scope=WRITE)
async def create_room(request: ForeignRequest) -> web.Response:
    body = read_body(request, VideoRoomCreate)
    created = await request.native.post("session", "/rooms", created_room(body))
    return respond(_shown(created["room"]))


@operations.get("/rooms/{id}", scope=READ)
async def get_room(request: ForeignRequest) -> web.Response:
    query = read_query(request, RoomQuery)
    room = await find_room(request, request.parameters["id"])
    live_id = room["active_session_id"] if query.include_active_session else None
    live = await request.native.get("session", f"/sessions/{live_id}") if live_id else None
    return respond(_shown(room, live))


@operations.put("/rooms/{id}", scope=WRITE)
async def update_room(request: ForeignRequest) -> web.Response:
    body = read_body(request, VideoRoomUpdate)
    room = await find_room(request, request.parameters["id"])
    changed = await request.native.patch("session", f"/rooms/{room['id']}", changed_room(room, body))
    return respond(_shown(changed))


@operations.delete("/rooms/{id}", scope=WRITE)
async def delete_room(request: ForeignRequest) -> web.Response:
    room = await find_room(request, request.parameters["id"])
    try:
        await request.native.delete("session", f"/rooms/{room['id']}")
    except NativeError as error:
        if error.status == 409:
            # No other status is published for it.
            raise BadRequest(error.message, code=error.code) from error
        raise
    return no_content()


async def find_room(request: ForeignRequest, id_or_name: str) -> Native:
    """The caller's own room; raises `NotFound`."""
    if is_id(id_or_name):
        return await own_room(request, id_or_name)
    room = await room_by_name(request, id_or_name) if is_room_name(id_or_name) else None
    if room is None:
        raise NotFound.of("room")
    return room


async def room_by_name(request: ForeignRequest, name: str) -> Native | None:
    """The caller's own room of this name, if there is one."""
    found = await request.native.get("session", "/rooms/my", {"name": name, "limit": 1})
    room: Native | None = next(iter(found["rooms"]), None)
    return room


async def _live_by_room(request: ForeignRequest) -> dict[str, Native]:
    """All live sessions, by room."""
    sessions: list[Native] = []
    cursor: str | None = None
    while True:
        wanted: QueryParameters = {"status": "live", "limit": _MOST_AT_ONCE, "cursor": cursor}
        found = await request.native.get("session", "/sessions/my", wanted)
        sessions += found["sessions"]
        cursor = found["next_cursor"]
        if cursor is None:
            return {session["room_id"]: session for session in sessions}


async def _nothing() -> dict[str, Native]:
    return {}


def _shown(room: Native, live: Native | None = None) -> dict[str, Any]:
    shown = video_room(room).model_dump()
    if live is not None:
        shown["active_session"] = video_active_session(live).model_dump(exclude_none=True)
    return shown
