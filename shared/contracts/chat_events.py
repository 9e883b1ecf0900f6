"""Events of a session's chat. Messages are never changed, and may arrive in any order.

A direct message may be shown to `user_id` and `recipient_id` only.
"""

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.states import ChatDeletionState, ChatMessageState


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
