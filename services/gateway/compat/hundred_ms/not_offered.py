"""Published operations that nothing in Greenroom is like."""

from typing import Final

from aiohttp import web

from services.gateway.compat.hundred_ms.errors import NotOffered
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from shared.http import WRITE

operations: Final = ForeignOperations("/v2")


@operations.post("/recordings/room/{room_id}/pause", scope=WRITE)
@operations.post("/recordings/room/{room_id}/resume", scope=WRITE)
@operations.post("/live-streams/{stream_id}/timed-metadata", scope=WRITE)
@operations.post("/live-streams/{stream_id}/pause-recording", scope=WRITE)
@operations.post("/live-streams/{stream_id}/resume-recording", scope=WRITE)
async def refuse(request: ForeignRequest) -> web.Response:
    raise NotOffered(f"Greenroom has no {request.path.rpartition('/')[2]}")
