"""Sessions. One that nobody has joined yet is not shown."""

import asyncio
from typing import Final

from aiohttp import web

from services.gateway.compat.hundred_ms.account import customer_id
from services.gateway.compat.hundred_ms.paging import ListQuery, matches_nothing, respond_with_page
from services.gateway.compat.hundred_ms.peers import connections_of
from services.gateway.compat.hundred_ms.session_translation import session
from services.gateway.compat.hundred_ms.validation import read_query
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_session
from services.gateway.compat.rendering import respond
from shared.errors import NotFound
from shared.http import READ
from shared.http.schema import Moment
from shared.ids import is_id

operations: Final = ForeignOperations("/v2")

# By `active`; without it all of them, as the documented example and the published client have it.
_STATUSES: Final = {True: ("live",), False: ("ended",), None: ("live", "ended")}


class SessionListQuery(ListQuery):
    active: bool | None = None
    room_id: str | None = None
    after: Moment | None = None
    before: Moment | None = None


@operations.get("/sessions", scope=READ)
@operations.get("/sessions/", scope=READ)
async def list_sessions(request: ForeignRequest) -> web.Response:
    query = read_query(request, SessionListQuery)
    if matches_nothing(query.room_id):
        return respond_with_page([], None, query.limit)
    wanted = {
        "status": _STATUSES[query.active],
        "room_id": query.room_id,
        "started_after": query.after,
        "started_before": query.before,
        "limit": query.limit,
        "cursor": query.start,
    }
    found = await request.native.get("session", "/sessions/my", wanted)
    connections = await connections_of(request, [one["id"] for one in found["sessions"]])
    customer = customer_id(request)
    shown = [session(one, connections[one["id"]], customer) for one in found["sessions"]]
    return respond_with_page([one.model_dump() for one in shown], found["next_cursor"], query.limit)


@operations.get("/sessions/{session_id}", scope=READ)
async def get_session(request: ForeignRequest) -> web.Response:
    id = request.parameters["session_id"]
    if not is_id(id):
        raise NotFound.of("session")
    found, connections = await asyncio.gather(own_session(request, id), connections_of(request, [id]))
    shown = session(found, connections[found["id"]], customer_id(request))
    return respond(shown.model_dump())
