"""HTTP bodies and data about the chat."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from services.session.chat.domain import ChatMessage
from services.session.wording import cleaned
from shared.http import Body, Data, Query
from shared.http.schema import LAST_PAGE, PAGE_LIMIT, Id

LONGEST = 500
# Cleaning only makes it shorter; what is this long is no message.
_LONGEST_SENT = 10 * LONGEST


def _message(text: str) -> str:
    text = cleaned(text)
    if not 1 <= len(text) <= LONGEST:
        raise ValueError(f"must have 1 to {LONGEST} characters that can be shown")
    return text


Message = Annotated[
    str,
    StringConstraints(max_length=_LONGEST_SENT),
    AfterValidator(_message),
    Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST}),
]


class CreateChatMessageRequest(Body):
    message: Message
    recipient_id: Id | None = None


class ChatQuery(Query):
    """A part of what was said: `before` is the id of a message, and only older ones count from there."""

    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 50
    offset: Annotated[int, Field(ge=0, le=LAST_PAGE)] = 0
    before: Id | None = None


class ChatMessageResponse(Data):
    id: str
    session_id: str
    user_id: str
    username: str
    message: str
    recipient_id: str | None
    recipient_username: str | None
    is_direct: bool
    created_at: datetime


class ChatMessagesResponse(Data):
    messages: list[ChatMessageResponse]
    total: int
    limit: int
    offset: int


def message_response(message: ChatMessage) -> ChatMessageResponse:
    recipient = message.recipient
    return ChatMessageResponse(
        id=message.id,
        session_id=message.session_id,
        user_id=message.user_id,
        username=message.username,
        message=message.text,
        recipient_id=recipient.id if recipient else None,
        recipient_username=recipient.username if recipient else None,
        is_direct=recipient is not None,
        created_at=message.created_at,
    )
