"""The projected sessions."""

from collections.abc import Iterable

from services.attendance.projections import save_newer
from services.attendance.sessions.domain import SessionView
from shared.contracts.states import Role, SessionStatus
from shared.mongo import Document, Mongo, UpdateOne


class SessionRepository:
    """One document a session; deleted ones stay as a mark, so that late events find them deleted."""

    def __init__(self, mongo: Mongo):
        self._collection = mongo.collection("sessions")

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes([])

    async def find(self, session_id: str) -> SessionView | None:
        return (await self.find_many([session_id])).get(session_id)

    async def find_many(self, ids: Iterable[str]) -> dict[str, SessionView]:
        documents = await self._collection.find({"_id": {"$in": list(ids)}})
        return {document["_id"]: _load(document) for document in documents}

    async def save(self, views: Iterable[SessionView]) -> None:
        """Store the views that are newer than what is stored; a deletion always holds."""
        views = list(views)
        await save_newer(self._collection, {view.id: _dump(view) for view in views})
        await self._collection.bulk(
            [UpdateOne({"_id": view.id}, {"$set": {"deleted": True}}) for view in views if view.deleted]
        )


def _dump(view: SessionView) -> Document:
    return {
        "version": view.version,
        "organization_id": view.organization_id,
        "library_id": view.library_id,
        "host_id": view.host_id,
        "status": view.status.value,
        "ended_at": view.ended_at,
        "roles": [{"user_id": user, "role": role.value} for user, role in view.roles.items()],
    }


def _load(document: Document) -> SessionView:
    return SessionView(
        id=document["_id"],
        version=document["version"],
        organization_id=document["organization_id"],
        library_id=document["library_id"],
        host_id=document["host_id"],
        status=SessionStatus(document["status"]),
        ended_at=document["ended_at"],
        roles={entry["user_id"]: Role(entry["role"]) for entry in document["roles"]},
        deleted=document.get("deleted", False),
    )
