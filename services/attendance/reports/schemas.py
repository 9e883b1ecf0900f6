"""Bodies and queries of the reports."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.http import Data, Query
from shared.http.schema import PAGE_LIMIT, Line, Page


class AttendanceQuery(Page):
    """`q` finds part of a username, in any case."""

    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 50
    q: Annotated[Line, StringConstraints(max_length=255)] | None = None


class AttendanceResponse(Data):
    """`watch_duration` in whole seconds; `left_at` is null while the person is connected."""

    id: str
    session_id: str
    user_id: str
    username: str
    email: str | None
    is_guest: bool
    joined_at: datetime
    left_at: datetime | None
    last_seen_at: datetime
    watch_duration: int
    join_count: int


class AttendanceListResponse(Data):
    """`total` counts the matches, `currently_watching` everybody in the session now."""

    attendance: list[AttendanceResponse]
    total: int
    currently_watching: int


class AttendanceStatsResponse(Data):
    """`average_watch_duration` in whole seconds over all attendees."""

    total_attendees: int
    currently_watching: int
    peak_viewers: int
    average_watch_duration: int


class AttendanceExportQuery(Query):
    format: Literal["csv", "xlsx", "json"] = "csv"
