"""The callbacks of the RTMP server (nginx's on_connect, on_publish, on_play, on_update and on_publish_done).

It posts a form: `name` is the stream's as the encoder gave it, `tcurl` the server's address, `clientid` the
connection, `call` the callback's kind. 2xx lets the encoder go on, 3xx under another name; anything else
disconnects it.
"""

from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from services.relay.service import RelayService
from shared.errors import NotFound, Unavailable
from shared.http import ANONYMOUS, Reply, Request, Routes, ok
from shared.text import pasted_key, visible

RELAYS: Final = web.AppKey("relays", RelayService)

routes = Routes("Relay")


@dataclass(frozen=True)
class _Callback:
    """`name` is the stream's as the encoder gave it."""

    call: str
    client: str
    name: str = field(repr=False)
    stream_key: str = field(repr=False)


@routes.post("/rtmp/publish", access=ANONYMOUS)
async def publish(request: Request) -> web.StreamResponse:
    """May the encoder publish? 404: unknown or revoked key. 409: in use. 503: the egress service is away.

    302: it may, under the name in `Location`: what it gave holds more than the key.
    """
    callback = await _read(request)
    await request.service(RELAYS).publish(callback.stream_key, callback.client)
    if callback.stream_key == callback.name:
        return web.Response()
    return web.Response(status=302, headers={"Location": callback.stream_key})


@routes.post("/rtmp/connect", access=ANONYMOUS)
async def connect(request: Request) -> web.StreamResponse:
    """Which application a client means: ours, also if it gave the stream key with the server's address."""
    app = str((await request.raw.post()).get("app", ""))
    server = visible(app).strip("/").partition("/")[0]
    if app == server:
        return web.Response()
    return web.Response(status=302, headers={"Location": server})


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
    """The stream key is in the name, or, if that is empty, at the end of the server's address."""
    form = await request.raw.post()
    call, client, name, server = (str(form.get(field, "")) for field in ("call", "clientid", "name", "tcurl"))
    stream_key = pasted_key(name) or pasted_key(server)
    if not (call and client and stream_key):
        raise NotFound("A stream key is required", code="stream_key_unknown")
    return _Callback(call, client, name, stream_key)
