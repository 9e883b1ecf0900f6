"""Lists of connections, for whoever is in control of the sessions."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from services.attendance.connections.domain import ConnectionPage, SessionConnections, joined_at_of
from services.attendance.connections.repository import ConnectionRepository
from services.attendance.presence.joining_order import Position
from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.projection import AttendanceSessionProjection
from shared.access.identity import Caller
from shared.errors import FieldError, InvalidRequest
from shared.persistence.mongo import Document

# Of several sessions at once, so that no answer grows without limit.
MOST_AT_ONCE = 10_000


@dataclass(frozen=True)
class ConnectionFilter:
    """Only this person's, only those that last (`active`) or only those that have ended; None is any."""

    user_id: str | None = None
    active: bool | None = None


class ConnectionService:
    def __init__(self, sessions: AttendanceSessionProjection, connections: ConnectionRepository):
        self._sessions = sessions
        self._connections = connections

    async def page(
        self,
        session_id: str,
        caller: Caller,
        library_id: str | None,
        wanted: ConnectionFilter,
        *,
        cursor: str | None,
        limit: int,
    ) -> ConnectionPage:
        """The first to join first, behind the cursor. Raises `NotFound`, `Forbidden`, `InvalidRequest`."""
        session = await self._sessions.authorize(session_id, caller, library_id, "control")
        last = await self._position(session.id, cursor) if cursor else None
        if session.over and wanted.active:
            return ConnectionPage([], None)
        return await self._connections.page(session, _query(wanted, session), last, limit)

    async def of_sessions(self, session_ids: Iterable[str], caller: Caller) -> SessionConnections:
        """Of each session, the first to join first. Raises `NotFound`, `Forbidden`, as for each alone."""
        ids = dict.fromkeys(session_ids)
        asked = (self._sessions.authorize(id_, caller, permission="control") for id_ in ids)
        sessions = await asyncio.gather(*asked)
        return await self._connections.of_sessions(sessions, MOST_AT_ONCE)

    async def _position(self, session_id: str, cursor: str) -> Position:
        joined_at = joined_at_of(cursor)
        last = await self._connections.position(session_id, cursor, joined_at) if joined_at else None
        if last is None:
            raise InvalidRequest([FieldError("cursor", "unknown_cursor", "is of no page of this list")])
        return last


def _query(wanted: ConnectionFilter, session: SessionView) -> Document:
    query: Document = {}
    if wanted.user_id is not None:
        query["user_id"] = wanted.user_id
    # With the session every connection has ended, whether or not that was reported.
    if wanted.active is not None and not session.over:
        query["open"] = wanted.active
    return query
