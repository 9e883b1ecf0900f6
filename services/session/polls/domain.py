"""A poll, and what its states allow. Pure rules, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.chat_and_poll_events import PollClosed, PollCreated, PollVoted
from shared.contracts.event import Event
from shared.contracts.states import PollState, PollStatus
from shared.errors import Conflict, FieldError, InvalidRequest


@dataclass(kw_only=True)
class Option:
    id: str
    text: str


@dataclass(kw_only=True)
class Poll:
    """A question of a session with 2 to 10 answers. Its votes are kept apart, and counted when asked for."""

    id: str
    version: int = 1
    session_id: str
    user_id: str
    question: str
    options: list[Option]
    allow_multiple_votes: bool = False
    status: PollStatus = PollStatus.ACTIVE
    created_at: datetime
    closed_at: datetime | None = None

    def created(self) -> Sequence[Event]:
        return [PollCreated(poll=self.state())]

    def close(self, now: datetime) -> Sequence[Event]:
        """It accepts no more votes; closing it again changes nothing."""
        if self.status is PollStatus.CLOSED:
            return []
        self.status = PollStatus.CLOSED
        self.closed_at = now
        return [PollClosed(poll=self.state())]

    def check_votable(self, option_id: str) -> None:
        """Raises `InvalidRequest` for an unknown option, `Conflict` if it is closed."""
        if option_id not in {option.id for option in self.options}:
            raise InvalidRequest([FieldError("option_id", "unknown", "There is no such option in this poll")])
        if self.status is not PollStatus.ACTIVE:
            raise Conflict("The poll is closed", code="poll_closed")

    def vote_id(self, user_id: str, option_id: str) -> str:
        """A vote's unique id: by person, or by person and option if several are allowed."""
        return f"{self.id}:{user_id}" + (f":{option_id}" if self.allow_multiple_votes else "")

    def voted(self, user_id: str, option_id: str, now: datetime) -> Sequence[Event]:
        return [
            PollVoted(
                session_id=self.session_id,
                poll_id=self.id,
                option_id=option_id,
                user_id=user_id,
                voted_at=now,
            )
        ]

    def state(self) -> PollState:
        return PollState.model_validate(self, from_attributes=True)
