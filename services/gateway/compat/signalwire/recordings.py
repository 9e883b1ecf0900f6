"""Room recordings."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from services.gateway.compat.calls import NativeError
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_recording
from services.gateway.compat.rendering import no_content, respond
from services.gateway.compat.signalwire.event_translation import video_event
from services.gateway.compat.signalwire.paging import PageQuery, page_of, respond_with_page
from services.gateway.compat.signalwire.session_translation import video_recording
from services.gateway.compat.signalwire.validation import read_query
from shared.http import READ, WRITE, Query

operations: Final = ForeignOperations("/api/video")

# Links last no longer, whatever is asked for.
_LONGEST_LINK: Final = 7 * 24 * 3600


class MediaQuery(Query):
    """`media_ttl`: the seconds for which links to files are valid."""

    media_ttl: Annotated[int, Field(ge=0, lt=2**31)] = 900

    @property
    def link_seconds(self) -> int:
        return min(self.media_ttl, _LONGEST_LINK)


class RecordingListQuery(PageQuery, MediaQuery):
    """A page, with links."""


@operations.get("/room_recordings", scope=READ)
async def list_room_recordings(request: ForeignRequest) -> web.Response:
    return await respond_with_recordings(request, read_query(request, RecordingListQuery))


@operations.get("/room_recordings/{id}", scope=READ)
async def get_room_recording(request: ForeignRequest) -> web.Response:
    query = read_query(request, MediaQuery)
    id = request.parameters["id"]
    recording, uri = await asyncio.gather(own_recording(request, id), _uri(request, id, query.link_seconds))
    return respond(video_recording(recording, uri).model_dump())


@operations.delete("/room_recordings/{id}", scope=WRITE)
async def delete_room_recording(request: ForeignRequest) -> web.Response:
    recording = await own_recording(request, request.parameters["id"])
    await request.native.delete("egress", f"/recordings/{recording['id']}")
    return no_content()


@operations.get("/room_recordings/{id}/events", scope=READ)
async def list_room_recording_events(request: ForeignRequest) -> web.Response:
    page = page_of(request, read_query(request, PageQuery))
    recording = await own_recording(request, request.parameters["id"])
    wanted = {"recording_id": recording["id"], "limit": page.size, "cursor": page.cursor}
    path = f"/sessions/{recording['session_id']}/events"
    found = await request.native.get("session", path, wanted)
    project_id = request.caller.api_key_id
    session = {"id": recording["session_id"], "room_id": recording["room_id"]}
    events = [video_event(event, session, project_id) for event in found["events"]]
    return respond_with_page(request, page, events, found["next_cursor"])


async def respond_with_recordings(
    request: ForeignRequest, query: RecordingListQuery, session_id: str | None = None
) -> web.Response:
    """A page of the caller's recordings, or of one session's."""
    page = page_of(request, query)
    wanted = {
        "own": True,
        "session_id": session_id,
        "link_seconds": query.link_seconds,
        "limit": page.size,
        "cursor": page.cursor,
    }
    found = await request.native.get("egress", "/recordings/my", wanted)
    recordings = [video_recording(one, one["download_url"]).model_dump() for one in found["recordings"]]
    return respond_with_page(request, page, recordings, found["next_cursor"])


async def _uri(request: ForeignRequest, id: str, seconds: int) -> str | None:
    """A link to the file, None if there is none."""
    try:
        link: Mapping[str, Any] = await request.native.get(
            "egress", f"/recordings/{id}/download", {"seconds": seconds}
        )
    except NativeError as error:
        if error.status == 409:
            return None
        raise
    return str(link["download_url"])
