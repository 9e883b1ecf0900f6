"""The Attendance group: reports for hosts, and as a file."""

from collections.abc import Mapping
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, StringConstraints

from services.attendance.reports.export import ExportFormat, ExportService
from services.attendance.reports.rows import AttendanceRow
from services.attendance.reports.service import AttendanceStats, ReportService
from shared.http import HOST, READ, Data, Query, Reply, Request, Routes
from shared.http.files import attachment, stream
from shared.http.schema import PAGE_LIMIT, Line, Page

REPORTS: Final = web.AppKey("reports", ReportService)
EXPORTS: Final = web.AppKey("exports", ExportService)

_CONTENT_TYPES: Final[Mapping[ExportFormat, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}

routes = Routes("Attendance")


class AttendanceQuery(Page):
    """`q` finds part of a username, in any case."""

    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 50
    q: Annotated[Line, StringConstraints(max_length=255)] | None = None


class AttendanceResponse(AttendanceRow, Data):
    """`watch_duration` in whole seconds; `left_at` is null while the person is connected."""


class AttendanceListResponse(Data):
    """`total` counts the matches, `currently_watching` everybody in the session now."""

    attendance: list[AttendanceResponse]
    total: int
    currently_watching: int


class AttendanceStatsResponse(AttendanceStats, Data):
    """`average_watch_duration` in whole seconds over all attendees."""


class AttendanceExportQuery(Query):
    """`excel`: CSV begins with a byte order mark, so that Excel shows names in any script."""

    format: ExportFormat = "csv"
    excel: bool = False


@routes.get("/sessions/{id}/attendance", access=HOST, scope=READ, mirrored=True)
async def list_attendance(request: Request, query: AttendanceQuery) -> Reply[AttendanceListResponse]:
    """Get full attendance list.

    One entry per person over all devices and rejoins, in order of joining.
    """
    report = await request.service(REPORTS).page(
        request.path_id(), request.caller, request.library_id, query.q, skip=query.skip, limit=query.limit
    )
    return Reply(AttendanceListResponse.of(report))


@routes.get("/sessions/{id}/attendance/stats", access=HOST, scope=READ, mirrored=True)
async def get_attendance_stats(request: Request) -> Reply[AttendanceStatsResponse]:
    """Get attendance statistics."""
    stats = await request.service(REPORTS).stats(request.path_id(), request.caller, request.library_id)
    return Reply(AttendanceStatsResponse(**dict(stats)))


@routes.get("/sessions/{id}/attendance/export", access=HOST, scope=READ, mirrored=True)
async def export_attendance(request: Request, query: AttendanceExportQuery) -> web.StreamResponse:
    """Export attendance data.

    A file without an envelope, with everybody who attended, also for less than 30 s. In CSV and XLSX an
    apostrophe is before whatever looks like a formula. With `excel=true` CSV begins with a byte order mark.
    Only callers of the organization get e-mail addresses.
    """
    session_id, format_ = request.path_id(), query.format
    pieces = await request.service(EXPORTS).export(
        session_id, request.caller, request.library_id, format_, excel=query.excel
    )
    headers = {
        "Content-Type": _CONTENT_TYPES[format_],
        "Content-Disposition": attachment(f"attendance-{session_id}.{format_}"),
        "Cache-Control": "no-store",
    }
    return await stream(request.raw, pieces, headers)
