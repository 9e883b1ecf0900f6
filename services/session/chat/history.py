"""The chat as one person sees it: messages for everybody and their direct messages, in one list."""

import asyncio

from services.session.chat.domain import EVERYBODY, ChatMessage
from services.session.chat.repository import ChatRepository


class History:
    """Reads the two streams apart, each by its index, and no more of either than is skipped and shown."""

    def __init__(self, chat: ChatRepository):
        self._chat = chat

    async def page(
        self, session_id: str, user_id: str, *, before: str | None, skip: int, limit: int
    ) -> tuple[list[ChatMessage], int]:
        """The newest first, and how many there are in all (each stream counted to `COUNTED_TO`)."""
        direct = await self._chat.stream(session_id, user_id, before=before, skip=0, limit=skip + limit)
        # So many of all that is skipped are surely for everybody.
        surely = max(0, skip - len(direct))
        common = await self._chat.stream(
            session_id, EVERYBODY, before=before, skip=surely, limit=skip - surely + limit
        )
        both = sorted([*direct, *common], key=lambda message: message.id, reverse=True)
        shown = both[skip - surely : skip - surely + limit]
        ends = before is None and len(direct) + len(common) < skip - surely + limit
        if ends and (common or not surely):
            return shown, surely + len(direct) + len(common)
        return shown, await self._count(session_id, user_id)

    async def _count(self, session_id: str, user_id: str) -> int:
        return sum(
            await asyncio.gather(
                self._chat.count(session_id, EVERYBODY), self._chat.count(session_id, user_id)
            )
        )
