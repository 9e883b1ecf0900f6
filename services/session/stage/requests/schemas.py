"""HTTP bodies and data about raised hands and join requests."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.session.identity.accounts.schemas import Username
from services.session.stage.requests.domain import StageRequest
from services.session.stage.seats.schemas import Identity
from shared.http import Body, Data
from shared.http.schema import PAGE_LIMIT, Page, Text

Status = Literal["pending", "approved", "rejected"]


class RaiseHandRequest(Body):
    """`name` defaults to the caller's own."""

    participant_identity: Identity | None = None
    participant_name: Username | None = None
    message: Annotated[Text, Field(max_length=500)] | None = None


class PendingQuery(Page):
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT


class HandRaiseResponse(Data):
    id: str
    session_id: str
    participant_identity: str
    participant_name: str
    message: str | None
    status: Status
    created_at: datetime
    updated_at: datetime
    responded_at: datetime | None


class HandRaisesResponse(Data):
    hand_raises: list[HandRaiseResponse]
    total: int


class JoinRequestResponse(Data):
    id: str
    session_id: str
    user_id: str
    username: str
    status: Status
    created_at: datetime
    updated_at: datetime
    responded_at: datetime | None


class JoinRequestsResponse(Data):
    join_requests: list[JoinRequestResponse]
    total: int


def hand_response(request: StageRequest) -> HandRaiseResponse:
    return HandRaiseResponse.of(request, participant_identity=request.user_id, participant_name=request.name)


def join_response(request: StageRequest) -> JoinRequestResponse:
    return JoinRequestResponse.of(request, username=request.name)
