"""Reading the journal."""

from typing import Final

from aiohttp import web

from services.session.journal.schemas import JournalQuery, JournalResponse
from services.session.journal.service import JournalService
from shared.http import ADMIN, Reply, Request, Routes

routes = Routes("Administration")

JOURNAL: Final = web.AppKey("journal", JournalService)


@routes.get("/admin/sessions/{id}/journal", access=ADMIN)
async def read_journal(request: Request, query: JournalQuery) -> Reply[JournalResponse]:
    """Everything that happened to a session, in order.

    Calls with their callers, LiveKit's webhooks, corrections and automatic actions; kept for 90 days.
    """
    return Reply(await request.service(JOURNAL).read(request.path_id(), query))
