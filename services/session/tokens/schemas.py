"""HTTP bodies of the tokens for a customer's own users."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.session.identity.accounts.schemas import Username, UserResponse
from shared.access.identity import LONGEST_LIFETIME
from shared.http import Body, Data
from shared.http.schema import Line


class IssueTokensRequest(Body):
    external_user_id: Annotated[Line, Field(min_length=1, max_length=255)]
    name: Username
    role: Literal["host", "co_host", "moderator", "audience"] = "audience"
    ttl_seconds: Annotated[int, Field(ge=60, le=int(LONGEST_LIFETIME.total_seconds()))] = 600


class IssueTokensResponse(Data):
    user: UserResponse
    access_token: str
    livekit_token: str
    room_name: str
    expires_at: datetime
