"""Analytics events: the journals of a room's sessions, each from its beginning, the last session first."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from aiohttp import web
from pydantic import Field, model_validator

from services.gateway.compat.calls import QueryParameters
from services.gateway.compat.hundred_ms.errors import QUERY
from services.gateway.compat.hundred_ms.event_translation import (
    EVENT_TYPES,
    analytics_events,
    needs_connections,
    wanted_types,
)
from services.gateway.compat.hundred_ms.paging import DEFAULT_LIMIT, matches_nothing
from services.gateway.compat.hundred_ms.peers import connections_of
from services.gateway.compat.hundred_ms.validation import read_query
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_session
from services.gateway.compat.rendering import respond
from shared.errors import AppError, FieldError, InvalidRequest
from shared.http import READ, Query
from shared.ids import is_id

Native = Mapping[str, Any]

operations: Final = ForeignOperations("/v2")

_BEGUN: Final = ("live", "ended")


class AnalyticsQuery(Query):
    """`error`: failures alone."""

    room_id: str | None = None
    session_id: str | None = None
    type: list[str] | None = None
    peer_id: str | None = None
    user_id: str | None = None
    beam_id: str | None = None
    error: bool = False
    limit: Annotated[int, Field(ge=1, le=100)] = DEFAULT_LIMIT
    start: str | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.room_id is None and self.session_id is None:
            raise ValueError("room_id or session_id is required")
        return self

    @property
    def matches_nothing(self) -> bool:
        return matches_nothing(self.room_id, self.session_id, self.peer_id, self.beam_id)

    def fits(self, event: Mapping[str, Any], types: Collection[str]) -> bool:
        """Whether what the journal cannot be asked for is as it should be: then a page is shorter."""
        data = event["data"]
        return (
            event["type"] in types
            and self.user_id in {None, data.get("user_id")}
            and self.beam_id in {None, data.get("beam_id")}
        )


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: in a session behind one of its events, or with the session before it."""

    session_id: str
    event_id: str | None

    @classmethod
    def parse(cls, start: str) -> Self:
        """Raises `InvalidRequest`."""
        session_id, separator, event_id = start.partition(".")
        if not is_id(session_id) or bool(separator) != is_id(event_id):
            raise InvalidRequest([FieldError("start", "invalid", "is no next of this list")], QUERY)
        return cls(session_id, event_id or None)

    def __str__(self) -> str:
        return f"{self.session_id}.{self.event_id}" if self.event_id else self.session_id


@operations.get("/analytics/events", scope=READ)
async def list_events(request: ForeignRequest) -> web.Response:
    query = read_query(request, AnalyticsQuery)
    types = wanted_types(query.type, failures=query.error)
    position = Position.parse(query.start) if query.start else None
    if query.matches_nothing or not types:
        return _respond(query, [], None)
    session, more = await _session(request, query, position)
    if session is None:
        return _respond(query, [], None)
    found = await _journal(request, query, types, session, position)
    following = Position(session["id"], found["next_cursor"]) if more or found["next_cursor"] else None
    connections = await _connections(request, found["events"], session)
    events = analytics_events(found["events"], session, connections)
    return _respond(query, [one for one in events if query.fits(one, types)], following)


async def _journal(
    request: ForeignRequest,
    query: AnalyticsQuery,
    types: Collection[str],
    session: Native,
    position: Position | None,
) -> Native:
    """A page of the session's journal."""
    of_recording = query.beam_id if query.beam_id != session["id"] else None
    wanted: QueryParameters = {
        "name": sorted({EVENT_TYPES[one][0] for one in types}),
        "connection_id": query.peer_id,
        "recording_id": of_recording,
        "limit": query.limit,
        "cursor": position.event_id if position else None,
    }
    found: Native = await request.native.get("session", f"/sessions/{session['id']}/events", wanted)
    return found


async def _connections(
    request: ForeignRequest, events: Iterable[Native], session: Native
) -> Mapping[str, Native]:
    """Those of the session by id, if an event needs them."""
    if not any(needs_connections(one) for one in events):
        return {}
    id = session["id"]
    return {one["id"]: one for one in (await connections_of(request, [id]))[id]}


async def _session(
    request: ForeignRequest, query: AnalyticsQuery, position: Position | None
) -> tuple[Native | None, bool]:
    """The session whose events are shown, and whether there is one before it."""
    id = query.session_id or (position.session_id if position and position.event_id else None)
    if id is not None:
        return await _session_in(request, id, query.room_id), query.session_id is None
    wanted: QueryParameters = {
        "room_id": query.room_id,
        "status": _BEGUN,
        "limit": 1,
        "cursor": position.session_id if position else None,
    }
    found = await request.native.get("session", "/sessions/my", wanted)
    return next(iter(found["sessions"]), None), found["next_cursor"] is not None


async def _session_in(request: ForeignRequest, id: str, room_id: str | None) -> Native | None:
    """The caller's session, if there is one and it is of this room."""
    try:
        session = await own_session(request, id)
    except AppError as error:
        if error.status == 404:
            return None
        raise
    return session if room_id in {None, session["room_id"]} else None


def _respond(query: AnalyticsQuery, events: list[dict[str, Any]], following: Position | None) -> web.Response:
    """`total` is of the page: nothing counts the others."""
    shown = "" if following is None else str(following)
    return respond({"limit": query.limit, "total": len(events), "next": shown, "events": events})
