"""Chat messages."""

from datetime import datetime

from shared.contracts.states.state import State


class ChatFileState(State):
    """A file in the chat; `size` in bytes."""

    name: str
    size: int
    content_type: str


class ChatMessageState(State):
    """A chat message. `recipient_id` makes it a direct one; `message` is a file's name where there is one."""

    id: str
    session_id: str
    user_id: str
    username: str
    message: str
    recipient_id: str | None = None
    recipient_username: str | None = None
    file: ChatFileState | None = None
    created_at: datetime


class ChatDeletionState(State):
    """That a chat message was deleted; `user_id` wrote it, `deleted_by` took it away."""

    id: str
    session_id: str
    user_id: str
    recipient_id: str | None = None
    deleted_by: str
    deleted_at: datetime
