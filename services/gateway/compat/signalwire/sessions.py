"""Room sessions: what took place in rooms, or does now. One that nobody has joined yet is not shown."""

import asyncio
from typing import Final, Literal

from aiohttp import web

from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_session
from services.gateway.compat.rendering import respond
from services.gateway.compat.signalwire.event_translation import video_event
from services.gateway.compat.signalwire.paging import PageQuery, page_of, respond_with_page
from services.gateway.compat.signalwire.recordings import RecordingListQuery, respond_with_recordings
from services.gateway.compat.signalwire.session_translation import (
    video_member,
    video_session,
    video_session_summary,
)
from services.gateway.compat.signalwire.validation import read_query
from services.gateway.compat.signalwire.vocabulary import SESSION_STATUSES
from shared.http import READ
from shared.http.schema import Id

operations: Final = ForeignOperations("/api/video")


class RoomSessionListQuery(PageQuery):
    room_id: Id | None = None
    room_name: str | None = None
    room_name_matches: str | None = None
    status: Literal["in-progress", "completed"] | None = None


@operations.get("/room_sessions", scope=READ)
async def list_room_sessions(request: ForeignRequest) -> web.Response:
    query = read_query(request, RoomSessionListQuery)
    page = page_of(request, query)
    wanted = {
        "room_id": query.room_id,
        "room_name": query.room_name,
        "room_name_contains": query.room_name_matches,
        "status": [native for native, shown in SESSION_STATUSES.items() if query.status in {None, shown}],
        "limit": page.size,
        "cursor": page.cursor,
    }
    found = await request.native.get("session", "/sessions/my", wanted)
    sessions = [video_session(session).model_dump() for session in found["sessions"]]
    return respond_with_page(request, page, sessions, found["next_cursor"])


@operations.get("/room_sessions/{id}", scope=READ)
async def get_room_session(request: ForeignRequest) -> web.Response:
    session = await own_session(request, request.parameters["id"])
    return respond(video_session_summary(session).model_dump())


@operations.get("/room_sessions/{id}/members", scope=READ)
async def list_room_session_members(request: ForeignRequest) -> web.Response:
    page = page_of(request, read_query(request, PageQuery))
    wanted = {"limit": page.size, "cursor": page.cursor}
    session_id = request.parameters["id"]
    path = f"/sessions/{session_id}/connections"
    _, found = await asyncio.gather(
        own_session(request, session_id), request.native.get("attendance", path, wanted)
    )
    members = [video_member(connection).model_dump() for connection in found["connections"]]
    return respond_with_page(request, page, members, found["next_cursor"])


@operations.get("/room_sessions/{id}/events", scope=READ)
async def list_room_session_events(request: ForeignRequest) -> web.Response:
    page = page_of(request, read_query(request, PageQuery))
    session_id = request.parameters["id"]
    wanted = {"limit": page.size, "cursor": page.cursor}
    session, found = await asyncio.gather(
        own_session(request, session_id),
        request.native.get("session", f"/sessions/{session_id}/events", wanted),
    )
    project_id = request.caller.api_key_id
    events = [video_event(event, session, project_id) for event in found["events"]]
    return respond_with_page(request, page, events, found["next_cursor"])


@operations.get("/room_sessions/{id}/recordings", scope=READ)
async def list_room_session_recordings(request: ForeignRequest) -> web.Response:
    query = read_query(request, RecordingListQuery)
    session_id = request.parameters["id"]
    answer: web.Response
    answer, _ = await asyncio.gather(
        respond_with_recordings(request, query, session_id), own_session(request, session_id)
    )
    return answer
