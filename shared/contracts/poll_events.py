"""Events of a session's polls. Who voted for what must not leave the services."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.states import PollState


class PollEvent(Event):
    """Base of the events that carry a poll in full."""

    poll: PollState

    @property
    def key(self) -> str:
        return self.poll.session_id


class PollCreated(PollEvent):
    name: ClassVar[str] = "poll.created.v1"


class PollClosed(PollEvent):
    name: ClassVar[str] = "poll.closed.v1"


class PollVoted(Event):
    """Published once for each vote, in any order. `user_id` is for the services only and never shown."""

    name: ClassVar[str] = "poll.voted.v1"

    session_id: str
    poll_id: str
    option_id: str
    user_id: str
    voted_at: datetime

    @property
    def key(self) -> str:
        return self.session_id
