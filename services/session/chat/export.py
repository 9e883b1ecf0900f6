"""The chat as a file: CSV (RFC 4180) or JSON, the oldest message first, piece by piece."""

import csv
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from io import StringIO
from typing import Final

import orjson

from services.session.chat.domain import EVERYBODY, ChatMessage
from services.session.chat.repository import ChatRepository
from services.session.chat.schemas import Format
from services.session.sessions.access import SessionAccess
from shared.access.identity import Caller
from shared.text import escape_formula

CONTENT_TYPES: Final[Mapping[Format, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
}
COLUMNS: Final = (
    "id",
    "created_at",
    "user_id",
    "username",
    "recipient_id",
    "recipient_username",
    "message",
    "file_size",
    "file_type",
)
_PAGE = 500


class ChatExport:
    """`page` is how many messages of each stream are in memory at once."""

    def __init__(self, chat: ChatRepository, access: SessionAccess, *, page: int = _PAGE):
        self._chat = chat
        self._access = access
        self._page = page

    async def export(self, session_id: str, caller: Caller, kind: Format) -> AsyncGenerator[bytes, None]:
        """The file's bytes, for who controls the session; raises `NotFound`, `Forbidden`."""
        await self._access.get_for_host(session_id, caller)
        messages = self.messages(session_id, caller.user_id)
        return as_csv(messages) if kind == "csv" else as_json(messages)

    def messages(self, session_id: str, user_id: str) -> AsyncIterator[ChatMessage]:
        """All that this person sees, the oldest first."""
        return _merged(self._stream(session_id, EVERYBODY), self._stream(session_id, user_id))

    async def _stream(self, session_id: str, seen_by: str) -> AsyncGenerator[ChatMessage, None]:
        last: str | None = None
        while page := await self._chat.after(session_id, seen_by, last, self._page):
            for message in page:
                yield message
            last = page[-1].id


async def _merged(
    one: AsyncGenerator[ChatMessage, None], other: AsyncGenerator[ChatMessage, None]
) -> AsyncGenerator[ChatMessage, None]:
    left, right = await anext(one, None), await anext(other, None)
    while left is not None or right is not None:
        if left is not None and (right is None or left.id < right.id):
            yield left
            left = await anext(one, None)
        elif right is not None:
            yield right
            right = await anext(other, None)


async def as_csv(messages: AsyncIterator[ChatMessage]) -> AsyncGenerator[bytes, None]:
    """UTF-8 with a heading; what begins like a formula is neutralised."""
    yield _line(COLUMNS)
    async for message in messages:
        row = cells(message)
        yield _line(["" if row[name] is None else escape_formula(str(row[name])) for name in COLUMNS])


async def as_json(messages: AsyncIterator[ChatMessage]) -> AsyncGenerator[bytes, None]:
    """One array of objects, an object a line; no envelope, and values as they are."""
    separator = b"[\n"
    async for message in messages:
        yield separator + orjson.dumps(cells(message))
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def cells(message: ChatMessage) -> dict[str, str | int | None]:
    recipient, file = message.recipient, message.file
    return {
        "id": message.id,
        "created_at": message.created_at.isoformat().replace("+00:00", "Z"),
        "user_id": message.user_id,
        "username": message.username,
        "recipient_id": recipient.id if recipient else None,
        "recipient_username": recipient.username if recipient else None,
        "message": message.text,
        "file_size": file.size if file else None,
        "file_type": file.content_type if file else None,
    }


def _line(row: Sequence[str]) -> bytes:
    written = StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(row)
    return written.getvalue().encode()
