"""A raised hand or a join request: pending until it is answered or, a hand, lowered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.event import Event
from shared.contracts.session_events import (
    HandAnswered,
    HandLowered,
    HandRaised,
    JoinRequestAnswered,
    JoinRequestCreated,
)
from shared.contracts.states import RequestKind, RequestStatus, StageRequestState
from shared.errors import Conflict


def open_key(session_id: str, kind: RequestKind, user_id: str) -> str:
    """Unique among the pending: a person has one of a kind in a session."""
    return f"{session_id}:{kind.value}:{user_id}"


@dataclass(kw_only=True)
class StageRequest:
    """`name` is how the person wants to be called, `open_key` is set while it is pending."""

    id: str
    version: int = 1
    session_id: str
    kind: RequestKind
    user_id: str
    name: str
    message: str | None = None
    status: RequestStatus = RequestStatus.PENDING
    open_key: str | None = None
    created_at: datetime
    updated_at: datetime
    responded_at: datetime | None = None

    @property
    def is_pending(self) -> bool:
        return self.status is RequestStatus.PENDING

    def created(self) -> Sequence[Event]:
        event = HandRaised if self.kind is RequestKind.HAND else JoinRequestCreated
        return [event(request=self.state())]

    def renew(self, now: datetime, name: str, message: str | None) -> Sequence[Event]:
        """The same request again while it is pending, with the new message."""
        if not self.is_pending or (self.name, self.message) == (name, message):
            return []
        self.name, self.message, self.updated_at = name, message, now
        return self.created()

    def approve(self, now: datetime) -> Sequence[Event]:
        """Approving again changes nothing. Raises `Conflict` for one that was rejected."""
        self.check_approvable()
        return self._answer(now, RequestStatus.APPROVED) if self.is_pending else []

    def check_approvable(self) -> None:
        """Raises `Conflict`."""
        if self.status is RequestStatus.REJECTED:
            raise Conflict("This was rejected; they may ask again", code="request_rejected")

    def reject(self, now: datetime) -> Sequence[Event]:
        """Rejecting again changes nothing. Raises `Conflict` for one that was approved."""
        if self.status is RequestStatus.APPROVED:
            raise Conflict("This was approved; remove them from the stage instead", code="request_approved")
        return self._answer(now, RequestStatus.REJECTED) if self.is_pending else []

    def _answer(self, now: datetime, status: RequestStatus) -> Sequence[Event]:
        self.status, self.open_key = status, None
        self.responded_at = self.updated_at = now
        event = HandAnswered if self.kind is RequestKind.HAND else JoinRequestAnswered
        return [event(request=self.state())]

    def lower(self) -> Sequence[Event]:
        """Take a hand down, which deletes it. Raises `Conflict` once it is answered."""
        if not self.is_pending:
            raise Conflict(f"This was {self.status.value}", code=f"request_{self.status.value}")
        return [HandLowered(request=self.state())]

    def state(self) -> StageRequestState:
        return StageRequestState.model_validate(self, from_attributes=True)
