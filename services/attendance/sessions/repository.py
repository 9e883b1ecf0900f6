"""The projected sessions."""

from collections.abc import Iterable

from services.attendance.projections import save_newer
from services.attendance.sessions.domain import SessionView
from shared.contracts.states import PresetSettings, Role, SessionStatus, StageSeat
from shared.persistence.mongo import Document, Mongo, UpdateOne

# Of sessions that were stored before presets were: what a new preset allows.
_UNKNOWN_PRESET = {"name": "", "type": "whip", "primary_color": ""}


class SessionRepository:
    """One document a session; deleted ones stay as a mark, so that late events find them deleted."""

    def __init__(self, mongo: Mongo):
        self._collection = mongo.collection("sessions")

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes([])

    async def find(self, session_id: str) -> SessionView | None:
        return (await self.find_many([session_id])).get(session_id)

    async def find_many(self, ids: Iterable[str]) -> dict[str, SessionView]:
        wanted = list(ids)
        documents = await self._collection.find({"_id": {"$in": wanted}}) if wanted else []
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
        "preset": view.preset.model_dump(mode="json"),
        "stage": {user: seat.model_dump(mode="json") for user, seat in view.stage.items()},
        "banned": [{"user_id": user, "since": since} for user, since in view.banned.items()],
        "chat_enabled_override": view.chat_enabled_override,
        "stage_enabled_override": view.stage_enabled_override,
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
        preset=PresetSettings.model_validate(document.get("preset", _UNKNOWN_PRESET)),
        stage={user: StageSeat.model_validate(seat) for user, seat in document.get("stage", {}).items()},
        banned={entry["user_id"]: entry["since"] for entry in document.get("banned", [])},
        chat_enabled_override=document.get("chat_enabled_override"),
        stage_enabled_override=document.get("stage_enabled_override"),
        deleted=document.get("deleted", False),
    )
