"""The Rooms group."""

from typing import Final

from aiohttp import web

from services.session.catalog.rooms.schemas import (
    CreateRoomRequest,
    CreateRoomResponse,
    MyRoomsQuery,
    MyRoomsResponse,
    RoomListResponse,
    RoomResponse,
    UpdateRoomRequest,
)
from services.session.catalog.rooms.service import RoomService
from shared.http import BEARER, HOST, PUBLIC, READ, WRITE, Reply, Request, Routes, ok
from shared.http.schema import Page

routes = Routes("Rooms")

ROOMS: Final = web.AppKey("rooms", RoomService)


@routes.get("/rooms", access=PUBLIC, scope=READ, mirrored=True)
async def list_rooms(request: Request, query: Page) -> Reply[RoomListResponse]:
    """List all rooms.

    Those of public libraries, newest first; `total` is counted up to 10,000.
    """
    return Reply(await request.service(ROOMS).list_public(request.library_id, query, request.viewer))


@routes.post("/rooms", access=HOST, scope=WRITE, status=201, mirrored=True, idempotent=True)
async def create_room(request: Request, body: CreateRoomRequest) -> Reply[CreateRoomResponse]:
    """Create a new room."""
    service = request.service(ROOMS)
    room = await service.create(request.reservation.id, request.caller, request.library_id, body)
    return Reply(CreateRoomResponse(room=room))


@routes.get("/rooms/my", access=BEARER, scope=READ, mirrored=True)
async def list_my_rooms(request: Request, query: MyRoomsQuery) -> Reply[MyRoomsResponse]:
    """List my rooms.

    Newest first, by page or from a cursor: `next_cursor` of the page before.
    """
    return Reply(await request.service(ROOMS).list_mine(request.library_id, query, request.caller))


@routes.get("/rooms/{id}", access=PUBLIC, scope=READ, mirrored=True)
async def get_room(request: Request) -> Reply[RoomResponse]:
    """Get room by ID."""
    return Reply(await request.service(ROOMS).get(request.path_id(), request.library_id, request.viewer))


@routes.patch("/rooms/{id}", access=HOST, scope=WRITE, mirrored=True)
async def update_room(request: Request, body: UpdateRoomRequest) -> Reply[RoomResponse]:
    """Update a room.

    Its sessions follow whether it is `enabled` and `unlisted`; the other settings are those of the sessions
    that are created from then on, and of an automatic one that nobody has joined yet.
    """
    service = request.service(ROOMS)
    return Reply(await service.update(request.path_id(), request.caller, request.library_id, body))


@routes.delete("/rooms/{id}", access=HOST, scope=WRITE, mirrored=True)
async def delete_room(request: Request) -> Reply[None]:
    """Delete a room.

    Its sessions are deleted too; refused with 409 while one of them is live.
    """
    await request.service(ROOMS).delete(request.path_id(), request.caller, request.library_id)
    return ok()
