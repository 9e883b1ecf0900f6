"""A code with which anybody gets into a room, in the role that it is for."""

from dataclasses import dataclass
from datetime import datetime

from services.session.catalog.rooms.roles import TokenRole
from shared.contracts.event import Event
from shared.errors import Forbidden


@dataclass(kw_only=True)
class RoomCode:
    """`id` is the code itself. A room has at most one for each role."""

    id: str
    version: int = 1
    room_id: str
    role: TokenRole
    enabled: bool = True
    created_at: datetime
    updated_at: datetime

    def switch(self, now: datetime, *, enabled: bool) -> list[Event]:
        """Let people in with it, or not; nobody is told."""
        if self.enabled is not enabled:
            self.enabled, self.updated_at = enabled, now
        return []

    def check_enabled(self) -> None:
        """Raises `Forbidden` for a disabled code."""
        if not self.enabled:
            raise Forbidden("The room code is disabled", code="room_code_disabled")
