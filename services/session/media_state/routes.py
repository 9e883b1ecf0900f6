"""The Sessions group: the host's camera and microphone."""

from typing import Final

from aiohttp import web

from services.session.media_state.service import HostMediaService
from shared.contracts.session_events import HostMedia
from shared.http import HOST, WRITE, Body, Reply, Request, Routes, ok

routes = Routes("Sessions")

HOST_MEDIA: Final = web.AppKey("host_media", HostMediaService)


class HostMediaRequest(Body):
    enabled: bool


@routes.post("/sessions/{id}/host_video_state", access=HOST, scope=WRITE, mirrored=True)
async def set_host_video_state(request: Request, body: HostMediaRequest) -> Reply[None]:
    """Broadcast host video state change.

    Sends a notice to everybody in the room. The session must be live.
    """
    service, id = request.service(HOST_MEDIA), request.path_id()
    await service.switch(id, request.caller, request.library_id, HostMedia.VIDEO, enabled=body.enabled)
    return ok()


@routes.post("/sessions/{id}/host_audio_state", access=HOST, scope=WRITE, mirrored=True)
async def set_host_audio_state(request: Request, body: HostMediaRequest) -> Reply[None]:
    """Broadcast host audio state change.

    Sends a notice to everybody in the room. The session must be live.
    """
    service, id = request.service(HOST_MEDIA), request.path_id()
    await service.switch(id, request.caller, request.library_id, HostMedia.AUDIO, enabled=body.enabled)
    return ok()
