"""Reading the journal."""

from datetime import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from services.session.journal.domain import EntryKind
from services.session.journal.event_filter import EventFilter
from services.session.journal.event_views import VIEWS, shown_data
from services.session.journal.service import JournalService
from shared.http import ADMIN, HOST, READ, Data, Reply, Request, Routes
from shared.http.schema import CursorPage, Id, Page


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


class SessionEventsQuery(CursorPage):
    """`name` may be repeated. `user_id` and `external_user_id` are of the person whom an event is about."""

    name: list[str] | None = None
    user_id: Id | None = None
    external_user_id: Annotated[str, Field(max_length=255)] | None = None
    connection_id: Id | None = None
    recording_id: Id | None = None

    def filter(self) -> EventFilter:
        asked = VIEWS.keys() if self.name is None else VIEWS.keys() & set(self.name)
        return EventFilter(names=asked, **self.model_dump(exclude={"name", "cursor", "limit"}))


class SessionEventResponse(Data):
    """`actor` is `user:<id>` or `key:<id>` if a call caused it directly; which fields `data` has is up to
    `name`."""

    id: str
    name: str
    kind: EntryKind
    at: datetime
    actor: str | None
    data: dict[str, Any]


class SessionEventsResponse(Data):
    """`next_cursor` is null after the last page; what happens later follows the `id` of its last event."""

    events: list[SessionEventResponse]
    next_cursor: str | None


routes = Routes("Administration")
session_routes = Routes("Sessions")

JOURNAL: Final = web.AppKey("journal", JournalService)


@routes.get("/admin/sessions/{id}/journal", access=ADMIN, scope=READ)
async def read_journal(request: Request, query: JournalQuery) -> Reply[JournalResponse]:
    """Everything that happened to a session, in order.

    Calls with their callers, LiveKit's webhooks, corrections and automatic actions; kept for 90 days.
    """
    found, total = await request.service(JOURNAL).read(request.path_id(), query.kind, query)
    entries = [EntryResponse.of(entry) for entry in found]
    return Reply(JournalResponse(entries=entries, total=total, page=query.page, limit=query.limit))


@session_routes.get("/sessions/{id}/events", access=HOST, scope=READ)
async def list_session_events(request: Request, query: SessionEventsQuery) -> Reply[SessionEventsResponse]:
    """List a session's events.

    What happened to it, in order, from a cursor: `next_cursor` of the page before; kept for 90 days. Who came
    and went, streams, recordings, requests and changes, without what people wrote.
    """
    found, next_cursor = await request.service(JOURNAL).read_as_host(
        request.path_id(), request.caller, query.filter(), cursor=query.cursor, limit=query.limit
    )
    events = [SessionEventResponse.of(entry, id=entry.place, data=shown_data(entry)) for entry in found]
    return Reply(SessionEventsResponse(events=events, next_cursor=next_cursor))
