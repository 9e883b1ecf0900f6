"""The Attendance group: reports for hosts, and as a file."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from services.attendance.reports.export import ExportFormat, ExportService
from services.attendance.reports.schemas import (
    AttendanceExportQuery,
    AttendanceListResponse,
    AttendanceQuery,
    AttendanceStatsResponse,
)
from services.attendance.reports.service import ReportService
from shared.http import HOST, Reply, Request, Routes
from shared.http.files import attachment, stream

REPORTS: Final = web.AppKey("reports", ReportService)
EXPORTS: Final = web.AppKey("exports", ExportService)

_CONTENT_TYPES: Final[Mapping[ExportFormat, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}

routes = Routes("Attendance")


@routes.get("/sessions/{id}/attendance", access=HOST, mirrored=True)
async def list_attendance(request: Request, query: AttendanceQuery) -> Reply[AttendanceListResponse]:
    """Get full attendance list.

    One entry per person over all devices and rejoins, in order of joining.
    """
    report = await request.service(REPORTS).page(
        request.path_id(), request.caller, request.library_id, query.q, skip=query.skip, limit=query.limit
    )
    return Reply(AttendanceListResponse.model_validate(report, from_attributes=True))


@routes.get("/sessions/{id}/attendance/stats", access=HOST, mirrored=True)
async def get_attendance_stats(request: Request) -> Reply[AttendanceStatsResponse]:
    """Get attendance statistics."""
    stats = await request.service(REPORTS).stats(request.path_id(), request.caller, request.library_id)
    return Reply(AttendanceStatsResponse(**vars(stats)))


@routes.get("/sessions/{id}/attendance/export", access=HOST, mirrored=True)
async def export_attendance(request: Request, query: AttendanceExportQuery) -> web.StreamResponse:
    """Export attendance data.

    A file without an envelope, with everybody who attended, also for less than 30 s. Cells of CSV and XLSX
    that look like a formula are prefixed with an apostrophe. Only callers of the organization get e-mail
    addresses.
    """
    session_id, format_ = request.path_id(), query.format
    pieces = await request.service(EXPORTS).export(session_id, request.caller, request.library_id, format_)
    headers = {
        "Content-Type": _CONTENT_TYPES[format_],
        "Content-Disposition": attachment(f"attendance-{session_id}.{format_}"),
        "Cache-Control": "no-store",
    }
    return await stream(request.raw, pieces, headers)
