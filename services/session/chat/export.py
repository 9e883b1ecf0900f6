"""The chat as a file: CSV (RFC 4180) or JSON, the oldest message first, piece by piece."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Final

from services.session.chat.domain import EVERYBODY, ChatMessage
from services.session.chat.repository import ChatRepository
from services.session.chat.schemas import Format
from services.session.sessions.access import SessionAccess
from shared.access.identity import Caller
from shared.export import Cell, as_csv, as_json

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

    async def export(
        self, session_id: str, caller: Caller, kind: Format, *, excel: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """The file's bytes, for who controls the session; `excel` for a CSV file that Excel opens.

        Raises `NotFound`, `Forbidden`.
        """
        await self._access.get_for_host(session_id, caller)
        pages = _pages(self.messages(session_id, caller.user_id))
        return as_csv(COLUMNS, pages, excel=excel) if kind == "csv" else as_json(COLUMNS, pages)

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


async def _pages(messages: AsyncIterator[ChatMessage]) -> AsyncIterator[list[list[Cell]]]:
    async for message in messages:
        yield [list(cells(message).values())]


def cells(message: ChatMessage) -> dict[str, Cell]:
    """By column, in order."""
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
