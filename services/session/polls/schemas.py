"""HTTP bodies and data about polls."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from services.session.polls.domain import Poll
from services.session.polls.repository import Counts
from shared.contracts.states import PollStatus
from shared.http import Body, Data
from shared.http.schema import PAGE_LIMIT, Id, Page
from shared.text import cleaned, on_one_line

_QUESTION, _OPTION = 500, 200
# Cleaning only makes it shorter.
_LONGEST_SENT = 5000


def _question(text: str) -> str:
    text = cleaned(text)
    if not 3 <= len(text) <= _QUESTION:
        raise ValueError(f"must have 3 to {_QUESTION} visible characters")
    return text


def _option(text: str) -> str:
    text = on_one_line(text)
    if not 1 <= len(text) <= _OPTION:
        raise ValueError(f"must have 1 to {_OPTION} visible characters")
    return text


def _distinct(options: list[str]) -> list[str]:
    if len(set(options)) < len(options):
        raise ValueError("must be distinct")
    return options


Question = Annotated[
    str,
    StringConstraints(max_length=_LONGEST_SENT),
    AfterValidator(_question),
    Field(json_schema_extra={"minLength": 3, "maxLength": _QUESTION}),
]
OptionText = Annotated[
    str,
    StringConstraints(max_length=_LONGEST_SENT),
    AfterValidator(_option),
    Field(json_schema_extra={"minLength": 1, "maxLength": _OPTION}),
]


class CreatePollRequest(Body):
    question: Question
    options: Annotated[list[OptionText], Field(min_length=2, max_length=10), AfterValidator(_distinct)]
    allow_multiple_votes: bool = False


class VoteRequest(Body):
    option_id: Id


class PollQuery(Page):
    """Pages of polls; without a limit as many as a page may have."""

    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT


class PollOptionResponse(Data):
    id: str
    text: str
    vote_count: int


class PollResponse(Data):
    id: str
    session_id: str
    question: str
    status: Literal["active", "closed"]
    allow_multiple_votes: bool
    options: list[PollOptionResponse]
    created_at: datetime
    closed_at: datetime | None


class PollListResponse(Data):
    polls: list[PollResponse]
    total: int


def poll_response(poll: Poll, counts: Counts, session_ended_at: datetime | None) -> PollResponse:
    """The poll with these counts; the end of its session is the end of it."""
    is_open = poll.status is PollStatus.ACTIVE and session_ended_at is None
    return PollResponse.of(
        poll,
        status="active" if is_open else "closed",
        options=[
            PollOptionResponse.of(option, vote_count=counts.get(option.id, 0)) for option in poll.options
        ],
        closed_at=poll.closed_at or session_ended_at,
    )
