"""HTTP bodies and data about reminders."""

from datetime import datetime
from typing import Annotated

from pydantic import EmailStr, Field

from shared.http import Body, Data, Query


class SubscribeRequest(Body):
    """`email` is for accounts without an e-mail address."""

    email: Annotated[EmailStr, Field(max_length=254)] | None = None


class LinkQuery(Query):
    """What a link in a mail carries."""

    recipient: Annotated[str, Field(max_length=100)]
    token: Annotated[str, Field(max_length=200)]


class SubscribedResponse(Data):
    """`subscribed` false with a time: the address is not confirmed yet."""

    subscribed: bool
    created_at: datetime


class ReminderStatusResponse(Data):
    subscribed: bool
    created_at: datetime | None


class UnsubscribedResponse(Data):
    subscribed: bool
