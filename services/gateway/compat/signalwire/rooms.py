"""Rooms."""

from typing import Final

from aiohttp import web

from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.signalwire.paging import PageQuery, page_of, respond_with_page
from services.gateway.compat.signalwire.validation import read_query
from shared.http import READ

operations: Final = ForeignOperations("/api/video")


@operations.get("/rooms", scope=READ)
async def list_rooms(request: ForeignRequest) -> web.Response:
    page = page_of(request, read_query(request, PageQuery))
    found = await request.native.get("session", "/rooms/my", {"limit": page.size, "cursor": page.cursor})
    return respond_with_page(request, page, found["rooms"], found.get("next_cursor"))
