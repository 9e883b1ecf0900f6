"""The Sessions and Auth groups: addresses, and the codes that sign hosts in."""

from typing import Final

from aiohttp import web

from services.session.identity.signin.service import CODE_LIFETIME
from services.session.sharing.schemas import (
    GenerateAuthCodeRequest,
    GenerateAuthCodeResponse,
    ShareUrlsResponse,
    StudioUrlResponse,
)
from services.session.sharing.service import SharingService
from shared.http import BEARER, HOST, READ, WRITE, Reply, Request, Routes

routes = Routes("Sessions")
auth = Routes("Auth")

SHARING: Final = web.AppKey("sharing", SharingService)


@routes.post("/sessions/{id}/studio_url", access=HOST, scope=WRITE, mirrored=True)
async def generate_studio_url(request: Request) -> Reply[StudioUrlResponse]:
    """Generate studio URL.

    It signs the caller in once, within 60 s. Whoever opens it acts as the host: do not share it.
    """
    return Reply(await request.service(SHARING).studio(request.path_id(), request.caller, request.library_id))


@routes.get("/sessions/{id}/share_urls", access=BEARER, scope=READ, mirrored=True)
async def get_share_urls(request: Request) -> Reply[ShareUrlsResponse]:
    """Get shareable URLs for a session.

    They do not change while the session exists; `hls_url` is null until there is a stream.
    """
    return Reply(await request.service(SHARING).share(request.path_id(), request.caller, request.library_id))


@auth.post("/auth/generate-code", access=HOST, scope=WRITE, mirrored=True)
async def generate_code(request: Request, body: GenerateAuthCodeRequest) -> Reply[GenerateAuthCodeResponse]:
    """Generate a short-lived auth code.

    It signs the caller in once, within 60 s; the caller must host the session. Codes made by an API key, and
    the sign-ins they opened, end with the key.
    """
    code = await request.service(SHARING).generate_code(body.session_id, request.caller, request.library_id)
    return Reply(GenerateAuthCodeResponse(code=code, expires_in=int(CODE_LIFETIME.total_seconds())))
