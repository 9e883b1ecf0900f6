"""The drift ledger as administrators see it."""

from datetime import datetime

from services.egress.drift.domain import Drift
from services.egress.reconciler.domain import Kind
from shared.http import Data
from shared.http.schema import Id, Moment, Page


class DriftQuery(Page):
    """Narrows the list to one session, to one kind, to what was repaired at or after `since`."""

    session_id: Id | None = None
    kind: Kind | None = None
    since: Moment | None = None


class DriftParticipantResponse(Data):
    sid: str
    identity: str
    user_id: str
    username: str


class DriftResponse(Data):
    """One repair. `participant` is null where a room was repaired.

    `last_seen_at` is the last proof of life of what was found to be gone. `estimated`: times that follow from
    the repair are not exact.
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


def drift_response(entry: Drift) -> DriftResponse:
    who = entry.participant
    return DriftResponse(
        id=entry.id,
        at=entry.at,
        session_id=entry.session_id,
        kind=Kind(entry.kind),
        participant=DriftParticipantResponse(**vars(who)) if who else None,
        believed=entry.believed,
        observed=entry.observed,
        action=entry.action,
        last_seen_at=entry.last_seen_at,
        estimated=entry.estimated,
    )
