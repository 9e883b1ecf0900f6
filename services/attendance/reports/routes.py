"""The Attendance group: reports for hosts."""

from services.attendance.reports.schemas import (
    AttendanceListResponse,
    AttendanceQuery,
    AttendanceStatsResponse,
)
from services.attendance.reports.service import REPORTS
from shared.http import HOST, Reply, Request, Routes

routes = Routes("Attendance")


@routes.get("/sessions/{id}/attendance", access=HOST, mirrored=True)
async def list_attendance(request: Request, query: AttendanceQuery) -> Reply[AttendanceListResponse]:
    """Get full attendance list.

    One entry per person over all devices and rejoins, in order of joining.
    """
    service = request.service(REPORTS)
    return Reply(await service.list(request.path_id(), request.caller, request.library_id, query))


@routes.get("/sessions/{id}/attendance/stats", access=HOST, mirrored=True)
async def get_attendance_stats(request: Request) -> Reply[AttendanceStatsResponse]:
    """Get attendance statistics."""
    service = request.service(REPORTS)
    return Reply(await service.stats(request.path_id(), request.caller, request.library_id))
