"""Chat messages and polls."""

from datetime import datetime
from enum import StrEnum

from shared.contracts.states.people_and_catalog import State


class ChatFileState(State):
    """A file in the chat; `size` in bytes."""

    name: str
    size: int
    content_type: str


class ChatMessageState(State):
    """A chat message. `recipient_id` makes it a direct one; `message` is the file's name if there is one."""

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
    """A deleted chat message; `user_id` wrote it, `deleted_by` deleted it."""

    id: str
    session_id: str
    user_id: str
    recipient_id: str | None = None
    deleted_by: str
    deleted_at: datetime


class PollStatus(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"


class PollOptionState(State):
    id: str
    text: str


class PollState(State):
    """A poll in full, without its votes; `version` grows by one with each change."""

    id: str
    version: int
    session_id: str
    user_id: str
    question: str
    options: list[PollOptionState]
    allow_multiple_votes: bool
    status: PollStatus
    created_at: datetime
    closed_at: datetime | None
