"""Presences of people, read as connections."""

from collections.abc import Sequence
from datetime import datetime

from services.attendance.connections.domain import PersonConnection, cursor_of, person_connection
from services.attendance.presence.joining_order import JOINING_ORDER, Position, find_in_joining_order
from services.attendance.presence.repository import PRESENCES, load_presence
from services.attendance.sessions.domain import SessionView
from shared.persistence.mongo import ASCENDING, Document, Index, Mongo

# Of presences that earlier releases stored, those that count are known to be people's.
_PEOPLE: Document = {
    "active": True,
    "$or": [{"person": True}, {"person": {"$exists": False}, "counted": True}],
}


class ConnectionRepository:
    indexes = (Index([("session_id", ASCENDING), *JOINING_ORDER]),)

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection(PRESENCES)

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def page(
        self, session: SessionView, wanted: Document, last: Position | None, limit: int
    ) -> list[PersonConnection]:
        """Those of one session that match `wanted` too, the first to join first."""
        query = people_of(session.id) | wanted
        found = await find_in_joining_order(self.collection, query, last, limit)
        return [_load(document, session) for document in found]

    async def position(self, session_id: str, cursor: str, joined_at: datetime) -> Position | None:
        """The place that the cursor names, among those who joined at that time; None if there is none."""
        query: Document = {"session_id": session_id, "joined_at": joined_at}
        for document in await self.collection.find(query, fields=["joined_at"]):
            if cursor_of(session_id, document["_id"], joined_at) == cursor:
                return joined_at, document["_id"]
        return None

    async def of_sessions(self, sessions: Sequence[SessionView], limit: int) -> list[PersonConnection]:
        """Those of all these sessions: session by session, in the order of their ids, `limit` at most."""
        by_id = {session.id: session for session in sessions}
        query = people_of({"$in": sorted(by_id)})
        order = [("session_id", ASCENDING), *JOINING_ORDER]
        found = await self.collection.find(query, sort=order, limit=limit)
        return [_load(document, by_id[document["session_id"]]) for document in found]


def people_of(session_id: object) -> Document:
    """The query for the people of a session, or of those that a condition on their ids names."""
    return {"session_id": session_id, **_PEOPLE}


def _load(document: Document, session: SessionView) -> PersonConnection:
    presence = load_presence(document)
    return person_connection(document["_id"], presence, document.get("external_user_id"), session)
