"""The drift ledger as administrators see it."""

from datetime import datetime

from services.egress.drift.domain import Kind
from shared.http import Data
from shared.http.schema import Id, Moment, Page


class DriftQuery(Page):
    """Narrows the list to one session, to one kind, to what was corrected at or after `since`."""

    session_id: Id | None = None
    kind: Kind | None = None
    since: Moment | None = None


class DriftParticipantResponse(Data):
    sid: str
    identity: str
    user_id: str
    username: str


class DriftResponse(Data):
    """One correction. `participant` is null if it was about a room.

    `last_seen_at` is when what was found to be gone was last seen alive. `estimated`: times that follow from
    the correction are not exact.
    """

    id: str
    at: datetime
    session_id: str
    kind: Kind
    participant: DriftParticipantResponse | None
    believed: str
    observed: str
    action: str
    last_seen_at: datetime | None
    estimated: bool


class DriftListResponse(Data):
    drift: list[DriftResponse]
    total: int
    page: int
    limit: int
