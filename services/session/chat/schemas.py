"""HTTP bodies and data about the chat."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SerializeAsAny, StringConstraints

from services.session.chat.domain import ChatFile, ChatMessage
from shared.http import Body, Data, Query
from shared.http.schema import LAST_PAGE, PAGE_LIMIT, Id
from shared.text import cleaned

Format = Literal["csv", "json"]

LONGEST = 500
# Cleaning only makes it shorter; a longer text is never a valid message.
_LONGEST_SENT = 10 * LONGEST


def _message(text: str) -> str:
    text = cleaned(text)
    if not 1 <= len(text) <= LONGEST:
        raise ValueError(f"must have 1 to {LONGEST} visible characters")
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
    """A page of the chat: `before` is the id of a message; only older ones are returned."""

    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 50
    offset: Annotated[int, Field(ge=0, le=LAST_PAGE)] = 0
    before: Id | None = None


class ChatFileQuery(Query):
    """`name` is the file's."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    recipient_id: Id | None = None


class ChatExportQuery(Query):
    """`excel`: CSV begins with a byte order mark, so that Excel shows names in any script."""

    format: Format = "csv"
    excel: bool = False


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


class ChatFileResponse(Data):
    """`size` in bytes; the URL needs no credentials and is valid for a day."""

    name: str
    size: int
    content_type: str
    url: str


class ChatFileMessageResponse(ChatMessageResponse):
    """A message that is a file; `message` is its name."""

    file: ChatFileResponse


class ChatMessagesResponse(Data):
    messages: list[SerializeAsAny[ChatMessageResponse]]
    total: int
    limit: int
    offset: int


def message_response(message: ChatMessage) -> ChatMessageResponse:
    return ChatMessageResponse.of(message, **_renamed(message))


def file_message_response(message: ChatMessage, file: ChatFile, url: str) -> ChatFileMessageResponse:
    return ChatFileMessageResponse.of(message, **_renamed(message), file=ChatFileResponse.of(file, url=url))


def _renamed(message: ChatMessage) -> dict[str, object]:
    recipient = message.recipient
    return {
        "message": message.text,
        "recipient_id": recipient.id if recipient else None,
        "recipient_username": recipient.username if recipient else None,
        "is_direct": recipient is not None,
    }
