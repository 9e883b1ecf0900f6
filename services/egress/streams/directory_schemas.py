"""Data about streams, in lists and one by one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.egress.streams.directory import StreamDirectory
from services.egress.streams.domain import Stream
from services.egress.streams.repository import StreamFilter
from shared.contracts.states import StreamStatus
from shared.http import Data
from shared.http.schema import CursorPage, Id, Query


class StreamsQuery(CursorPage):
    """Streams with all that is given; of several `status` any holds. With `own`, an API key lists those of
    its own host alone."""

    session_id: Id | None = None
    room_id: Id | None = None
    status: list[StreamStatus] | None = None
    own: bool = False

    def filter(self) -> StreamFilter:
        return StreamFilter(**self.model_dump(exclude={"own", "cursor", "limit"}))


class PreviewQuery(Query):
    """`token` is part of a preview's URL."""

    token: Annotated[str, Field(max_length=200)] | None = None


class StreamResponse(Data):
    """A session has one stream, which may be stopped and started again: `started_at` and `stopped_at` are
    those of its latest run.

    `hls_url` is null until there is something to play, and after the files were deleted. `error` says why a
    stream is not running. `room_id` may be null for streams of earlier releases.
    """

    session_id: str
    room_id: str | None
    status: Literal["none", "starting", "active", "ending", "ended", "failed"]
    hls_url: str | None
    started_at: datetime | None
    stopped_at: datetime | None
    error: str | None
    created_at: datetime
    updated_at: datetime


class StreamListResponse(Data):
    """`next_cursor` is for the page that follows; null after the last."""

    streams: list[StreamResponse]
    next_cursor: str | None


def stream_response(stream: Stream, directory: StreamDirectory) -> StreamResponse:
    return StreamResponse.of(
        stream, session_id=stream.id, hls_url=directory.url(stream), stopped_at=stream.ended_at
    )


def stream_list(
    streams: Sequence[Stream], next_cursor: str | None, directory: StreamDirectory
) -> StreamListResponse:
    return StreamListResponse(
        streams=[stream_response(one, directory) for one in streams], next_cursor=next_cursor
    )
