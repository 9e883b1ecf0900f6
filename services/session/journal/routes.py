"""Reading the journal."""

from datetime import datetime
from typing import Any, Final

from aiohttp import web

from services.session.journal.domain import EntryKind
from services.session.journal.service import JournalService
from shared.http import ADMIN, READ, Data, Reply, Request, Routes
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


routes = Routes("Administration")

JOURNAL: Final = web.AppKey("journal", JournalService)


@routes.get("/admin/sessions/{id}/journal", access=ADMIN, scope=READ)
async def read_journal(request: Request, query: JournalQuery) -> Reply[JournalResponse]:
    """Everything that happened to a session, in order.

    Calls with their callers, LiveKit's webhooks, corrections and automatic actions; kept for 90 days.
    """
    found, total = await request.service(JOURNAL).read(request.path_id(), query.kind, query)
    entries = [EntryResponse.of(entry) for entry in found]
    return Reply(JournalResponse(entries=entries, total=total, page=query.page, limit=query.limit))
