"""Rooms."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from services.gateway.compat.calls import NativeError
from services.gateway.compat.hundred_ms.account import customer_id
from services.gateway.compat.hundred_ms.errors import invalid_body
from services.gateway.compat.hundred_ms.paging import ListQuery, matches_nothing, respond_with_page
from services.gateway.compat.hundred_ms.room_bodies import (
    HundredMsRoomCreate,
    HundredMsRoomUpdate,
    size_problem,
)
from services.gateway.compat.hundred_ms.room_translation import (
    changed_room,
    created_room,
    kept_settings,
    room,
)
from services.gateway.compat.hundred_ms.validation import read_body, read_query
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_room
from services.gateway.compat.rendering import respond
from shared.http import READ, WRITE
from shared.http.schema import Moment

Native = Mapping[str, Any]

operations: Final = ForeignOperations("/v2")


class HundredMsRoomListQuery(ListQuery):
    enabled: bool = True
    after: Moment | None = None
    before: Moment | None = None
    name: str | None = None
    template_id: str | None = None


@operations.post("/rooms", scope=WRITE)
async def create_room(request: ForeignRequest) -> web.Response:
    """Or change the one that has this name."""
    body = read_body(request, HundredMsRoomCreate)
    if body.template is not None:
        raise invalid_body("template", "used")
    name = body.name or str(uuid.uuid4())
    _check_size(body, {})
    try:
        created = await request.native.post("session", "/rooms", created_room(body, name, body.template_id))
    except NativeError as error:
        if error.code != "room_name_taken":
            raise _in_published_words(error) from error
        return await _change(request, await _room_by_name(request, name), body, body.template_id)
    return respond(room(created["room"], customer_id(request)))


@operations.get("/rooms", scope=READ)
async def list_rooms(request: ForeignRequest) -> web.Response:
    query = read_query(request, HundredMsRoomListQuery)
    if matches_nothing(query.template_id):
        return respond_with_page([], None, query.limit)
    wanted = {
        "enabled": query.enabled,
        "created_after": query.after,
        "created_before": query.before,
        "name": query.name,
        "preset_id": query.template_id,
        "limit": query.limit,
        "cursor": query.start,
    }
    found = await request.native.get("session", "/rooms/my", wanted)
    rooms = [room(one, customer_id(request)) for one in found["rooms"]]
    return respond_with_page(rooms, found["next_cursor"], query.limit)


@operations.get("/rooms/{room_id}", scope=READ)
async def get_room(request: ForeignRequest) -> web.Response:
    return respond(room(await own_room(request, request.parameters["room_id"]), customer_id(request)))


@operations.post("/rooms/{room_id}", scope=WRITE)
async def update_room(request: ForeignRequest) -> web.Response:
    """Also enables and disables it."""
    body = read_body(request, HundredMsRoomUpdate)
    return await _change(request, await own_room(request, request.parameters["room_id"]), body)


async def _change(
    request: ForeignRequest, current: Native, body: HundredMsRoomUpdate, preset_id: str | None = None
) -> web.Response:
    _check_size(body, current)
    changes = changed_room(current, body, preset_id)
    try:
        changed = await request.native.patch("session", f"/rooms/{current['id']}", changes)
    except NativeError as error:
        raise _in_published_words(error) from error
    return respond(room(changed, customer_id(request)))


async def _room_by_name(request: ForeignRequest, name: str) -> Native:
    found = await request.native.get("session", "/rooms/my", {"name": name, "limit": 1})
    own: Native | None = next(iter(found["rooms"]), None)
    if own is None:
        raise invalid_body("name", "is the name of somebody else's room")
    return own


def _check_size(body: HundredMsRoomUpdate, current: Native) -> None:
    """Raises `InvalidRequest`."""
    large = body.large_room
    if large is None and current:
        large = kept_settings(current).get("large_room")
    problem = size_problem(body.size or 0, large=bool(large))
    if problem is not None:
        raise invalid_body("", problem)


def _in_published_words(error: NativeError) -> Exception:
    if any(bad.field == "preset_id" for bad in error.fields):
        return invalid_body("", "template not found")
    return error
