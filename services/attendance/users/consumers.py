"""People's events, in any order: each carries its whole state and version."""

from typing import Final

from services.attendance.users.service import ProjectedUsers
from shared.bus import Group, on
from shared.contracts.session_events import UserRegistered, UserUpdated

GROUP: Final = "attendance.users"


def group(users: ProjectedUsers) -> Group:
    return Group(GROUP, dict([on(UserRegistered, users.follow), on(UserUpdated, users.follow)]))
