"""The Attendance group: the file."""

from aiohttp import web

from services.attendance.exports.schemas import ExportQuery, Format
from services.attendance.exports.service import CONTENT_TYPES, EXPORTS
from shared.http import HOST, Request, Routes
from shared.http.files import attachment, stream

routes = Routes("Attendance")


@routes.get("/sessions/{id}/attendance/export", access=HOST, mirrored=True)
async def export_attendance(request: Request, query: ExportQuery) -> web.StreamResponse:
    """Export attendance data.

    A file without an envelope, with everybody who attended, also for less than 30 s. Cells of CSV and XLSX
    that look like a formula are prefixed with an apostrophe. Only callers of the organization get e-mail
    addresses.
    """
    session_id, format_ = request.path_id(), Format(query.format)
    pieces = await request.service(EXPORTS).export(session_id, request.caller, request.library_id, format_)
    headers = {
        "Content-Type": CONTENT_TYPES[format_],
        "Content-Disposition": attachment(f"attendance-{session_id}.{format_}"),
        "Cache-Control": "no-store",
    }
    return await stream(request.raw, pieces, headers)
