"""Bodies of the operations on presence."""

from datetime import datetime

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
