"""Who attends, by the attendance service: how many watch, and who asked to leave."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.event import Event


class ViewersCounted(Event):
    """How many people watch a session now, and the maximum so far; the newest `version` counts."""

    name: ClassVar[str] = "viewers.counted.v1"

    session_id: str
    version: int
    viewer_count: int
    max_viewers: int

    @property
    def key(self) -> str:
        return self.session_id


class ParticipantLeaveRequested(Event):
    """A person asked to leave: the session service ends that sign-in's LiveKit connection."""

    name: ClassVar[str] = "participant.leave_requested.v1"

    session_id: str
    user_id: str
    identity: str
    requested_at: datetime

    @property
    def key(self) -> str:
        return self.session_id
