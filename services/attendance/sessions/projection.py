"""The projected sessions, and finding one for a request."""

from typing import ClassVar

from services.attendance.sessions.domain import SessionView
from shared.access.identity import Caller
from shared.access.session_access import Permission, refuse_outsider, require
from shared.contracts.states import SessionState
from shared.persistence.mongo import Document
from shared.session_projection.projection import SessionProjection

# Of sessions that were stored before presets were: what a new preset allows.
_UNKNOWN_PRESET = {"name": "", "type": "whip", "primary_color": ""}


class AttendanceSessionProjection(SessionProjection[SessionView]):
    sparse: ClassVar[tuple[str, ...]] = ("registered_only",)

    async def authorize(
        self,
        session_id: str,
        caller: Caller,
        library_id: str | None = None,
        permission: Permission | None = None,
    ) -> SessionView:
        """The session, in which the caller has the `permission`, if one is given.

        One that no event has reported is asked for at the session service. Raises as
        `shared.access.session_access.require`, also for a deleted one, and `Unavailable` if the session
        service does not answer.
        """
        session = await self.find(session_id)
        if session is None or session.deleted:
            refuse_outsider("session", caller, permission)
        require(session, session.preset, caller, library_id, permission)
        return session

    def view(self, state: SessionState, *, deleted: bool = False) -> SessionView:
        return SessionView.of(state, deleted=deleted)

    def dump(self, session: SessionView) -> Document:
        unknown = set() if session.complete else {"registered_only"}
        document: Document = session.model_dump(
            mode="json", exclude={"id", "ended_at", "roles", "banned", "deleted", "complete"} | unknown
        )
        document["ended_at"] = session.ended_at
        document["roles"] = [{"user_id": user, "role": role.value} for user, role in session.roles.items()]
        document["banned"] = [{"user_id": user, "since": since} for user, since in session.banned.items()]
        return document | {"deleted": True} if session.deleted else document

    def load(self, document: Document) -> SessionView:
        fields = {"preset": _UNKNOWN_PRESET, **document, "id": document["_id"]}
        fields["complete"] = "registered_only" in document
        fields["roles"] = {entry["user_id"]: entry["role"] for entry in document["roles"]}
        fields["banned"] = {entry["user_id"]: entry["since"] for entry in document.get("banned", [])}
        return SessionView.model_validate(fields)
