"""The query of an export, and its columns."""

from enum import StrEnum
from typing import Final, Literal

from services.attendance.reports.schemas import AttendanceResponse
from shared.http import Query


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


class ExportQuery(Query):
    format: Literal["csv", "xlsx", "json"] = "csv"


COLUMNS: Final = (
    "user_id",
    "username",
    "email",
    "is_guest",
    "joined_at",
    "left_at",
    "last_seen_at",
    "watch_duration",
    "join_count",
)

Cell = str | int | bool | None


def cells(row: AttendanceResponse) -> list[Cell]:
    """A row's values by column, as in JSON: times in RFC 3339, durations in whole seconds."""
    values = row.model_dump(mode="json", include=set(COLUMNS))
    return [values[column] for column in COLUMNS]
