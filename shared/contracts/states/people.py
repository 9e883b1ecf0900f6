"""People: what they are in the installation, and in one session."""

from enum import StrEnum

from shared.contracts.states.state import State


class Role(StrEnum):
    """What a person is in one session."""

    HOST = "host"
    CO_HOST = "co_host"
    MODERATOR = "moderator"
    STAGE = "stage"
    AUDIENCE = "audience"


class UserRole(StrEnum):
    """What a person is in the installation."""

    HOST = "host"
    VIEWER = "viewer"


class UserState(State):
    """A person: host or viewer. `is_guest` is one who registered with a display name only."""

    id: str
    version: int
    organization_id: str | None
    username: str
    email: str | None
    role: UserRole
    is_guest: bool
    is_active: bool
