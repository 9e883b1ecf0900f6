"""HTTP data about the journal."""

from datetime import datetime
from typing import Any

from services.session.journal.domain import EntryKind, JournalEntry
from shared.http import Data
from shared.http.schema import Page


class JournalQuery(Page):
    kind: EntryKind | None = None


class EntryResponse(Data):
    id: str
    session_id: str
    at: datetime
    kind: EntryKind
    name: str
    source: str
    request_id: str | None
    operation: str | None
    actor: str | None
    data: dict[str, Any]


class JournalResponse(Data):
    entries: list[EntryResponse]
    total: int
    page: int
    limit: int


def entry_response(entry: JournalEntry) -> EntryResponse:
    return EntryResponse.model_validate(entry, from_attributes=True)
