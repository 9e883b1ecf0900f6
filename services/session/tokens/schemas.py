"""HTTP bodies of the tokens for a customer's own users."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from services.session.catalog.rooms.roles import TokenRole
from services.session.identity.accounts.schemas import Username, UserResponse, user_response
from services.session.tokens.room_tokens import IssuedRoomTokens, Publish, RoomTokenGrant
from shared.access.identity import LONGEST_LIFETIME, Caller
from shared.http import Body, Data
from shared.http.schema import CustomersName, Line, Moment
from shared.livekit.join_terms import JoinTerms, JoinWindow

_LONGEST_SECONDS = int(LONGEST_LIFETIME.total_seconds())
Lifetime = Annotated[int, Field(ge=60, le=_LONGEST_SECONDS)]
ExternalId = Annotated[Line, Field(min_length=1, max_length=255)]
# Shown to everybody in the room by LiveKit.
Metadata = Annotated[str, StringConstraints(max_length=4096)]


class IssueTokensRequest(Body):
    external_user_id: ExternalId
    name: Username
    role: Literal["host", "co_host", "moderator", "audience"] = "audience"
    ttl_seconds: Lifetime = 600


class IssueTokensResponse(Data):
    user: UserResponse
    access_token: str
    livekit_token: str
    livekit_url: str
    room_name: str
    expires_at: datetime


class IssueRoomTokensRequest(Body):
    """The lifetime begins when the person may join. Of the room's options and these, the stricter hold."""

    external_user_id: ExternalId | None = None
    name: CustomersName = "Guest"
    role: TokenRole = TokenRole.AUDIENCE
    publish: Publish = Publish.ALL
    ttl_seconds: Lifetime = _LONGEST_SECONDS
    join_from: Moment | None = None
    join_until: Moment | None = None
    remove_at: Moment | None = None
    remove_after_seconds_elapsed: Annotated[int, Field(ge=1, le=200_000)] | None = None
    end_session_on_leave: bool = False
    metadata: Metadata | None = None

    def grant(self) -> RoomTokenGrant:
        closing = JoinWindow(closes_at=self.remove_at)
        return RoomTokenGrant(
            external_user_id=self.external_user_id,
            name=self.name,
            role=self.role,
            publish=self.publish,
            lifetime=timedelta(seconds=self.ttl_seconds),
            window=JoinWindow(opens_at=self.join_from, closes_at=self.join_until).within(closing),
            terms=JoinTerms(
                external_user_id=self.external_user_id,
                metadata=self.metadata,
                remove_at=self.remove_at,
                remove_after=self.remove_after_seconds_elapsed,
                ends_session=self.end_session_on_leave,
            ),
        )


class ExchangeRoomCodeRequest(Body):
    """`external_user_id` is only shown to others."""

    external_user_id: ExternalId | None = None
    name: CustomersName = "Guest"


class IssueRoomTokensResponse(Data):
    """`room_name` is LiveKit's, the session's id."""

    user: UserResponse
    access_token: str
    livekit_token: str
    livekit_url: str
    room_name: str
    session_id: str
    expires_at: datetime

    @classmethod
    def issued(cls, issued: IssuedRoomTokens, by: Caller | None) -> Self:
        session_id = issued.session.id
        user = user_response(issued.user, by)
        return cls.of(issued, user=user, room_name=session_id, session_id=session_id)
