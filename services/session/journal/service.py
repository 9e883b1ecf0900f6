"""Keeping the journal, and reading it."""

from collections.abc import Sequence

from services.session.journal.domain import JournalEntry
from services.session.journal.repository import JournalRepository
from services.session.journal.schemas import JournalQuery, JournalResponse, entry_response
from shared.contracts.event import Envelope


class JournalService:
    def __init__(self, journal: JournalRepository):
        self._journal = journal

    async def record(self, envelopes: Sequence[Envelope]) -> None:
        await self._journal.add([JournalEntry.of(envelope) for envelope in envelopes])

    async def read(self, session_id: str, query: JournalQuery) -> JournalResponse:
        """A page of a session's journal, oldest entry first; empty for an unknown session."""
        entries, total = await self._journal.list_page(session_id, query.kind, query.skip, query.limit)
        responses = [entry_response(entry) for entry in entries]
        return JournalResponse(entries=responses, total=total, page=query.page, limit=query.limit)
