"""Following the states of people."""

from services.attendance.users.repository import UserRepository
from shared.contracts.session_events import UserEvent


class UserViews:
    def __init__(self, users: UserRepository):
        self._users = users

    async def follow(self, event: UserEvent) -> None:
        await self._users.save(event.user)
