"""What happened to a session, for administrators."""

from datetime import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from services.session.journal.domain import EntryKind
from services.session.journal.period import JournalPeriod, JournalPlace
from services.session.timeline.entries import GapName, TimelineEntry
from services.session.timeline.service import TimelinePage, TimelineService
from shared.clock import from_unix_ms
from shared.contracts.states import EndReason, SessionStatus
from shared.http import ADMIN, READ, Data, Query, Reply, Request, Routes
from shared.http.schema import CURSOR_PAGE_LIMIT, Moment

routes = Routes("Administration")

TIMELINE: Final = web.AppKey("timeline", TimelineService)


class TimelineQuery(Query):
    """`kind` may be repeated; entries are those from `since` to before `until`."""

    kind: list[EntryKind] | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=CURSOR_PAGE_LIMIT)] = 100
    cursor: Annotated[str, Field(pattern=r"^\d{1,14}\.[0-9a-f-]{36}$")] | None = None

    @property
    def period(self) -> JournalPeriod:
        return JournalPeriod(
            kinds=None if self.kind is None else frozenset(self.kind), since=self.since, until=self.until
        )

    @property
    def after(self) -> JournalPlace | None:
        if self.cursor is None:
            return None
        at, _, place = self.cursor.partition(".")
        return JournalPlace(from_unix_ms(int(at)), place)


class TimelineSession(Data):
    id: str
    title: str
    status: SessionStatus
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    end_estimated: bool


class CauseResponse(Data):
    """`what` is the operation of the call, or the name of the event that a webhook became."""

    id: str
    what: str
    milliseconds: int


class LatenciesResponse(Data):
    """In milliseconds, null if there is no such way, or it was not measured then.

    `arrival`: from LiveKit's own time to the webhook's arrival, at the most, since LiveKit gives many times
    in whole seconds; `journal`: from storing the change to its entry here, by way of RabbitMQ;
    `egress_start` and `first_segment`: since the egress was planned.
    """

    arrival: int | None
    journal: int | None
    egress_start: int | None
    first_segment: int | None


class GapResponse(Data):
    name: GapName
    since: datetime | None
    until: datetime
    text: str


class TimelineEntryResponse(Data):
    """`at` is when it was stored, a webhook's when it arrived, and the order of entries.

    `occurred_at` is LiveKit's own time, or when what is gone was last seen; `recorded_at` when the entry was
    made. `cause` is what it is an effect of. `gaps` are what is missing before it or came late.
    """

    id: str
    at: datetime
    kind: EntryKind
    name: str
    text: str
    source: str
    operation: str | None
    actor: str | None
    actor_name: str | None
    request_id: str | None
    occurred_at: datetime | None
    recorded_at: datetime | None
    estimated: bool
    cause: CauseResponse | None
    latencies: LatenciesResponse
    gaps: list[GapResponse]
    data: dict[str, Any]


class TimelineResponse(Data):
    """`session` is null if it was deleted, and `note` says why there may be less here than happened."""

    session: TimelineSession | None
    entries: list[TimelineEntryResponse]
    note: str | None
    next_cursor: str | None


@routes.get("/admin/sessions/{id}/timeline", access=ADMIN, scope=READ)
async def read_timeline(request: Request, query: TimelineQuery) -> Reply[TimelineResponse]:
    """Everything that happened to a session, in the order of time, with causes and latencies.

    Calls with their callers, LiveKit's webhooks, corrections and automatic actions, each in plain words; kept
    for 90 days, also if the session is deleted. 404 if nothing is known of it.
    """
    found = await request.service(TIMELINE).read(
        request.path_id(), query.period, after=query.after, limit=query.limit
    )
    return Reply(_response(found))


def _response(page: TimelinePage) -> TimelineResponse:
    return TimelineResponse(
        session=TimelineSession.of(page.session) if page.session else None,
        entries=[_entry(entry, page) for entry in page.entries],
        note=page.note,
        next_cursor=_cursor(page.next) if page.next else None,
    )


def _entry(one: TimelineEntry, page: TimelinePage) -> TimelineEntryResponse:
    entry = one.entry
    return TimelineEntryResponse.of(
        entry,
        id=entry.place,
        text=one.text,
        actor_name=page.names.get((entry.actor or "").removeprefix("user:")),
        occurred_at=one.occurred_at,
        estimated=one.estimated,
        cause=CauseResponse.of(one.cause) if one.cause else None,
        latencies=LatenciesResponse.of(one.latencies),
        gaps=[GapResponse.of(gap) for gap in one.gaps],
    )


def _cursor(place: JournalPlace) -> str:
    return f"{round(place.at.timestamp() * 1000)}.{place.place}"
