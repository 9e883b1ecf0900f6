"""The Centrifugo group: answers are Centrifugo's own, always 200 and without our envelope."""

from typing import Final

from aiohttp import web

from services.session.centrifugo.schemas import (
    CentrifugoRefreshRequest,
    CentrifugoSubscribeRequest,
    ConnectReply,
    ConnectRequest,
    RefreshReply,
    SubscribeReply,
)
from services.session.centrifugo.service import CentrifugoService
from shared.http import PROXY, Bare, Request, Routes
from shared.http.request import CENTRIFUGO_HEADER

routes = Routes("Centrifugo")

CENTRIFUGO: Final = web.AppKey("centrifugo", CentrifugoService)


@routes.post("/centrifugo/connect", access=PROXY)
async def centrifugo_connect(request: Request, body: ConnectRequest) -> Bare[ConnectReply]:
    """Centrifugo connect proxy.

    The client sends its access token as `data.token`, or Centrifugo forwards its Authorization header.
    """
    headers = request.raw.headers
    service = request.service(CENTRIFUGO)
    return Bare(service.connect(headers.get(CENTRIFUGO_HEADER), headers.get("Authorization"), body))


@routes.post("/centrifugo/refresh", access=PROXY)
async def centrifugo_refresh(request: Request, body: CentrifugoRefreshRequest) -> Bare[RefreshReply]:
    """Centrifugo refresh proxy.

    A connection ends with the access token that it was made with; the client connects again with a new one.
    """
    del body
    shown = request.raw.headers.get(CENTRIFUGO_HEADER)
    return Bare(request.service(CENTRIFUGO).refresh(shown))


@routes.post("/centrifugo/subscribe", access=PROXY)
async def centrifugo_subscribe(request: Request, body: CentrifugoSubscribeRequest) -> Bare[SubscribeReply]:
    """Centrifugo subscribe proxy.

    Channels are `session:<id>`, `session:<id>:staff` and `user:<id>`.
    """
    shown = request.raw.headers.get(CENTRIFUGO_HEADER)
    return Bare(await request.service(CENTRIFUGO).subscribe(shown, body))
