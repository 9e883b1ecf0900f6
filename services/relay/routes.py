"""The callbacks of the RTMP server (nginx's on_publish, on_play, on_update and on_publish_done).

It posts a form: `name` is the stream key, `clientid` the connection, `call` the callback's kind. 2xx lets the
encoder go on; anything else disconnects it.
"""

from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from services.relay.service import RelayService
from shared.errors import NotFound, Unavailable
from shared.http import ANONYMOUS, Reply, Request, Routes, ok

RELAYS: Final = web.AppKey("relays", RelayService)

routes = Routes("Relay")


@dataclass(frozen=True)
class _Callback:
    call: str
    client: str
    stream_key: str = field(repr=False)


@routes.post("/rtmp/publish", access=ANONYMOUS)
async def publish(request: Request) -> Reply[None]:
    """May the encoder publish? 404: unknown or revoked key. 409: in use. 503: the egress service is away."""
    callback = await _read(request)
    await request.service(RELAYS).publish(callback.stream_key, callback.client)
    return ok()


@routes.post("/rtmp/play", access=ANONYMOUS)
async def play(request: Request) -> Reply[None]:
    """Our own player begins, which it may: the RTMP server lets nobody else play."""
    request.service(RELAYS).playing((await _read(request)).stream_key)
    return ok()


@routes.post("/rtmp/update", access=ANONYMOUS)
async def update(request: Request) -> Reply[None]:
    """May the encoder, or our own player, go on? If the egress service is away, it may."""
    callback = await _read(request)
    if callback.call == "update_publish":
        try:
            await request.service(RELAYS).still_publishing(callback.stream_key, callback.client)
        except Unavailable:
            return ok()
    return ok()


@routes.post("/rtmp/done", access=ANONYMOUS)
async def done(request: Request) -> Reply[None]:
    """The encoder is gone."""
    callback = await _read(request)
    request.service(RELAYS).publishing_ended(callback.stream_key, callback.client)
    return ok()


async def _read(request: Request) -> _Callback:
    form = await request.raw.post()
    call, client, name = (form.get(field) for field in ("call", "clientid", "name"))
    if not (isinstance(call, str) and isinstance(client, str) and isinstance(name, str) and name):
        raise NotFound("A stream key is required", code="stream_key_unknown")
    return _Callback(call, client, name)
