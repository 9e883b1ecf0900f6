"""The drift ledger as administrators see it."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator

from services.egress.reconciler.drift.domain import Drift
from shared.http import Data
from shared.http.schema import Page
from shared.ids import is_id


def _id(value: str) -> str:
    if not is_id(value):
        raise ValueError("must be a UUID")
    return value.lower()


class DriftQuery(Page):
    """`session_id` narrows the list to one session."""

    session_id: Annotated[str, AfterValidator(_id)] | None = None


class DriftParticipantResponse(Data):
    sid: str
    identity: str
    user_id: str
    username: str


class DriftResponse(Data):
    """One repair. `kind`: missed_join, missed_leave, ghost, permission, room_lost or room_leftover.

    `participant` is null where a room was repaired. `estimated`: times that follow from it are not exact.
    """

    id: str
    at: datetime
    session_id: str
    kind: str
    participant: DriftParticipantResponse | None
    believed: str
    observed: str
    action: str
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
        kind=entry.kind,
        participant=DriftParticipantResponse(**vars(who)) if who else None,
        believed=entry.believed,
        observed=entry.observed,
        action=entry.action,
        estimated=entry.estimated,
    )
