"""People's events, in any order: each carries its whole state and version."""

from services.attendance.users.service import UserViews
from shared.bus import Group, on
from shared.contracts.session_events import UserRegistered, UserUpdated


def group(users: UserViews) -> Group:
    return Group("attendance.users", dict([on(UserRegistered, users.follow), on(UserUpdated, users.follow)]))
