"""Polls."""

from datetime import datetime
from enum import StrEnum

from shared.contracts.states.state import State


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
