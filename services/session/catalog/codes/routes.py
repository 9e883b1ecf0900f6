"""The Rooms group: room codes. Whoever has one gets in, so that reading them takes what writing does."""

from typing import Final

from aiohttp import web

from services.session.catalog.codes.domain import RoomCode
from services.session.catalog.codes.schemas import (
    CreateRoomCodesRequest,
    RoomCodeResponse,
    RoomCodesQuery,
    RoomCodesResponse,
    UpdateRoomCodeRequest,
)
from services.session.catalog.codes.service import RoomCodeService
from services.session.catalog.rooms.roles import TokenRole
from shared.http import HOST, WRITE, Reply, Request, Routes

routes = Routes("Rooms")

ROOM_CODES: Final = web.AppKey("room_codes", RoomCodeService)


@routes.post("/rooms/{id}/codes", access=HOST, scope=WRITE, status=201)
async def create_room_codes(request: Request, body: CreateRoomCodesRequest) -> Reply[RoomCodesResponse]:
    """Create a room's codes.

    One for the role, or for each; those that are there already stay as they are.
    """
    roles = [body.role] if body.role else list(TokenRole)
    made = await request.service(ROOM_CODES).ensure(request.path_id(), request.caller, roles)
    return Reply(RoomCodesResponse(codes=[_response(code) for code in made]))


@routes.get("/rooms/{id}/codes", access=HOST, scope=WRITE)
async def list_room_codes(request: Request, query: RoomCodesQuery) -> Reply[RoomCodesResponse]:
    """List a room's codes."""
    found = await request.service(ROOM_CODES).list_of_room(
        request.path_id(), request.caller, query.role, enabled=query.enabled
    )
    return Reply(RoomCodesResponse(codes=[_response(code) for code in found]))


@routes.get("/room_codes/{code}", access=HOST, scope=WRITE, secret=["code"])
async def get_room_code(request: Request) -> Reply[RoomCodeResponse]:
    """Get a room code."""
    code = request.raw.match_info["code"]
    return Reply(_response(await request.service(ROOM_CODES).get(code, request.caller)))


@routes.patch("/room_codes/{code}", access=HOST, scope=WRITE, secret=["code"])
async def update_room_code(request: Request, body: UpdateRoomCodeRequest) -> Reply[RoomCodeResponse]:
    """Enable or disable a room code.

    Tokens that people got with it before stay valid.
    """
    code = request.raw.match_info["code"]
    changed = await request.service(ROOM_CODES).switch(code, request.caller, enabled=body.enabled)
    return Reply(_response(changed))


def _response(code: RoomCode) -> RoomCodeResponse:
    return RoomCodeResponse.of(code, code=code.id)
