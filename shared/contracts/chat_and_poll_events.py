"""The chat and the polls of a session.

Chat messages never change, and may arrive in any order; a direct one may be shown to `user_id` and
`recipient_id` alone. Who voted for what is for the services only.
"""

from datetime import datetime
from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.states import ChatDeletionState, ChatMessageState, PollState


class ChatMessageSent(Event):
    name: ClassVar[str] = "chat.message_sent.v1"

    message: ChatMessageState

    @property
    def key(self) -> str:
        return self.message.session_id


class ChatMessageDeleted(Event):
    """A message was deleted for everybody; this may arrive before the message itself."""

    name: ClassVar[str] = "chat.message_deleted.v1"

    deletion: ChatDeletionState

    @property
    def key(self) -> str:
        return self.deletion.session_id


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
