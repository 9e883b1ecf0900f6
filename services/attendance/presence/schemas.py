"""Bodies of the operations on presence."""

from datetime import datetime

from services.attendance.presence.domain import attendance_id
from services.attendance.presence.service import ActiveViewers
from shared.contracts.states import Role
from shared.http import Data


class ActiveViewerResponse(Data):
    """A person who is watching; `id` is their attendance's, `joined_at` when they joined."""

    id: str
    user_id: str
    username: str
    joined_at: datetime
    role: Role


class ActiveViewersResponse(Data):
    viewers: list[ActiveViewerResponse]
    total: int


def viewers_response(found: ActiveViewers) -> ActiveViewersResponse:
    """A role given in the session outranks the one the person joined with."""
    viewers = [
        ActiveViewerResponse(
            id=attendance_id(found.session.id, one.user_id),
            user_id=one.user_id,
            username=one.username,
            joined_at=one.joined_at,
            role=found.session.roles.get(one.user_id, one.role),
        )
        for one in found.presences
    ]
    return ActiveViewersResponse(viewers=viewers, total=found.total)
