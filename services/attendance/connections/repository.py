"""Presences of people, read as connections."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.attendance.connections.domain import (
    ConnectionPage,
    PersonConnection,
    SessionConnections,
    cursor_of,
    person_connection,
)
from services.attendance.presence.joining_order import JOINING_ORDER, Position, find_in_joining_order
from services.attendance.presence.repository import PRESENCES, load_presence
from services.attendance.sessions.domain import SessionView
from shared.persistence.mongo import ASCENDING, Document, Index, Mongo

# Of presences that earlier releases stored it is not known.
_PEOPLE: Document = {"active": True, "person": {"$in": [True, None]}}


class ConnectionRepository:
    indexes = (Index([("session_id", ASCENDING), *JOINING_ORDER]),)

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection(PRESENCES)

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def page(
        self, session: SessionView, wanted: Document, last: Position | None, limit: int
    ) -> ConnectionPage:
        """Those of one session that match `wanted` too, the first to join first."""
        query = {"session_id": session.id, **_PEOPLE, **wanted}
        found = await find_in_joining_order(self.collection, query, last, limit + 1)
        shown = found[:limit]
        return ConnectionPage(
            _people(shown, {session.id: session}), _cursor(shown[-1]) if found[limit:] else None
        )

    async def position(self, session_id: str, cursor: str, joined_at: datetime) -> Position | None:
        """The place that the cursor names, among those who joined at that time; None if there is none."""
        query: Document = {"session_id": session_id, "joined_at": joined_at}
        for document in await self.collection.find(query, fields=["joined_at"]):
            if cursor_of(session_id, document["_id"], joined_at) == cursor:
                return joined_at, document["_id"]
        return None

    async def of_sessions(self, sessions: Sequence[SessionView], most: int) -> SessionConnections:
        """Those of all these sessions, read session by session in the order of their ids, `most` at most."""
        by_id = {session.id: session for session in sessions}
        query: Document = {"session_id": {"$in": sorted(by_id)}, **_PEOPLE}
        order = [("session_id", ASCENDING), *JOINING_ORDER]
        found = await self.collection.find(query, sort=order, limit=most + 1)
        # The session of the last one that was read is cut, and those behind it are not read.
        cut = found[-1]["session_id"] if len(found) > most else None
        incomplete = [id_ for id_ in sorted(by_id) if cut is not None and id_ >= cut]
        connections: dict[str, list[PersonConnection]] = {id_: [] for id_ in by_id if id_ not in incomplete}
        for one in _people(found, by_id):
            if one.session_id in connections:
                connections[one.session_id].append(one)
        return SessionConnections(connections, incomplete)


def _people(found: Iterable[Document], sessions: Mapping[str, SessionView]) -> list[PersonConnection]:
    """Of presences that do not say whose they are, those that count are known to be people's."""
    return [
        person_connection(
            document["_id"],
            load_presence(document),
            document.get("external_user_id"),
            sessions[document["session_id"]],
        )
        for document in found
        if document.get("person", document["counted"])
    ]


def _cursor(document: Document) -> str:
    return cursor_of(document["session_id"], document["_id"], document["joined_at"])
