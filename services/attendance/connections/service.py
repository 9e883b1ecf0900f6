"""Lists of connections, for whoever is in control of the sessions."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.attendance.connections.domain import PersonConnection, cursor_of, joined_at_of
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


@dataclass(frozen=True)
class ConnectionPage:
    """`next_cursor` is for the page that follows; None after the last."""

    connections: Sequence[PersonConnection]
    next_cursor: str | None


@dataclass(frozen=True)
class SessionConnections:
    """Connections by session id; those of the `incomplete` sessions are left out: they are too many."""

    connections: dict[str, list[PersonConnection]]
    incomplete: list[str]


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
        found = await self._connections.page(session, _query(wanted, session), last, limit + 1)
        shown = found[:limit]
        return ConnectionPage(shown, _cursor(shown[-1]) if len(found) > limit else None)

    async def of_sessions(self, session_ids: Iterable[str], caller: Caller) -> SessionConnections:
        """Of each session, the first to join first. Raises `NotFound`, `Forbidden`, as for each alone."""
        ids = dict.fromkeys(session_ids)
        asked = (self._sessions.authorize(id_, caller, permission="control") for id_ in ids)
        sessions = await asyncio.gather(*asked)
        found = await self._connections.of_sessions(sessions, MOST_AT_ONCE + 1)
        by_session: dict[str, list[PersonConnection]] = {session.id: [] for session in sessions}
        for one in found:
            by_session[one.session_id].append(one)
        # The last one that was read, and those that are behind it.
        cut = found[-1].session_id if len(found) > MOST_AT_ONCE else None
        incomplete = [id_ for id_ in sorted(by_session) if cut is not None and id_ >= cut]
        return SessionConnections(
            {id_: theirs for id_, theirs in by_session.items() if id_ not in incomplete}, incomplete
        )

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


def _cursor(one: PersonConnection) -> str:
    return cursor_of(one.session_id, one.participant_sid, one.joined_at)
