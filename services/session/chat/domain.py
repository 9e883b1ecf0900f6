"""A chat message; it never changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.contracts.chat_and_poll_events import ChatMessageDeleted, ChatMessageSent
from shared.contracts.event import Event
from shared.contracts.states import ChatDeletionState, ChatFileState, ChatMessageState

# In `seen_by` of a message for everybody.
EVERYBODY: Final = "*"


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Whom a direct message is for."""

    id: str
    username: str


@dataclass(frozen=True, kw_only=True)
class ChatFile:
    """A file that is a message; `size` in bytes."""

    name: str
    size: int
    content_type: str


@dataclass(frozen=True, kw_only=True)
class ChatMessage:
    """Ids are in the order of time, so they order messages too. `text` of a file is its name."""

    id: str
    session_id: str
    user_id: str
    username: str
    text: str
    recipient: Recipient | None = None
    file: ChatFile | None = None
    created_at: datetime

    @property
    def seen_by(self) -> list[str]:
        """The user ids of those who may see it, or `EVERYBODY`."""
        return [self.user_id, self.recipient.id] if self.recipient else [EVERYBODY]

    def is_seen_by(self, user_id: str) -> bool:
        return self.recipient is None or user_id in self.seen_by

    def sent(self) -> Sequence[Event]:
        return [ChatMessageSent(message=self.state())]

    def deleted(self, by: str, now: datetime) -> Sequence[Event]:
        deletion = ChatDeletionState(
            id=self.id,
            session_id=self.session_id,
            user_id=self.user_id,
            recipient_id=self.recipient.id if self.recipient else None,
            deleted_by=by,
            deleted_at=now,
        )
        return [ChatMessageDeleted(deletion=deletion)]

    def state(self) -> ChatMessageState:
        file = self.file
        return ChatMessageState(
            id=self.id,
            session_id=self.session_id,
            user_id=self.user_id,
            username=self.username,
            message=self.text,
            recipient_id=self.recipient.id if self.recipient else None,
            recipient_username=self.recipient.username if self.recipient else None,
            file=ChatFileState(name=file.name, size=file.size, content_type=file.content_type)
            if file
            else None,
            created_at=self.created_at,
        )
