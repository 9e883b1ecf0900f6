"""The Attendance group: connections, one by one."""

from datetime import datetime
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from services.attendance.connections.service import ConnectionFilter, ConnectionService
from shared.contracts.states import Role
from shared.http import HOST, READ, Data, Query, Reply, Request, Routes
from shared.http.schema import CursorPage, Id

CONNECTIONS: Final = web.AppKey("connections", ConnectionService)
_MOST_SESSIONS: Final = 100

routes = Routes("Attendance")


class ConnectionsQuery(CursorPage):
    """`active`: those that last, or, if false, those that have ended."""

    user_id: Id | None = None
    active: bool | None = None


class SessionConnectionsQuery(Query):
    session_id: Annotated[list[Id], Field(min_length=1, max_length=_MOST_SESSIONS)]


class ConnectionResponse(Data):
    """One connection of a person. `id` is also the one in the room's list of participants.

    `external_user_id` is the customer's, null without one. `left_at` is null while the connection lasts, and
    `estimated` if LiveKit did not report the leaving. `name` is the one they joined with; `role` is what they
    are in the session, or were at last.
    """

    id: str
    participant_sid: str
    session_id: str
    user_id: str
    external_user_id: str | None
    name: str
    role: Role
    joined_at: datetime
    left_at: datetime | None
    estimated: bool


class ConnectionsResponse(Data):
    """`next_cursor` is null after the last page."""

    connections: list[ConnectionResponse]
    next_cursor: str | None


class SessionsConnectionsResponse(Data):
    """`connections` by session id. `incomplete` are the sessions that are left out, since there is not enough
    room for theirs: list them one by one."""

    connections: dict[str, list[ConnectionResponse]]
    incomplete: list[str]


@routes.get("/sessions/{id}/connections", access=HOST, scope=READ, mirrored=True)
async def list_connections(request: Request, query: ConnectionsQuery) -> Reply[ConnectionsResponse]:
    """Get the connections to a session.

    Each time somebody was or is connected, in order of joining: people alone, the host and co-hosts among
    them, but no monitors, recorders or encoders. Whoever joins while the pages are read is on a later page.
    """
    wanted = ConnectionFilter(query.user_id, query.active)
    page = await request.service(CONNECTIONS).page(
        request.path_id(),
        request.caller,
        request.library_id,
        wanted,
        cursor=query.cursor,
        limit=query.limit,
    )
    return Reply(ConnectionsResponse.of(page))


@routes.get("/connections", access=HOST, scope=READ, refuses=(404,))
async def list_connections_of_sessions(
    request: Request, query: SessionConnectionsQuery
) -> Reply[SessionsConnectionsResponse]:
    """Get the connections to several sessions.

    As for each of them alone, up to 100 sessions, all of which the caller must control; repeat `session_id`.
    At most 10,000 connections are in an answer.
    """
    found = await request.service(CONNECTIONS).of_sessions(query.session_id, request.caller)
    return Reply(SessionsConnectionsResponse.of(found))
