"""What the RTMP server asks and tells (nginx's on_publish, on_update and on_publish_done).

It posts a form: `name` is the stream key, `clientid` the connection, `call` what it is about. 2xx lets the
encoder go on; anything else sends it away.
"""

from dataclasses import dataclass, field

from services.relay.service import RELAYS
from shared.errors import NotFound, Unavailable
from shared.http import PUBLIC, Reply, Request, Routes, ok

routes = Routes("Relay")


@dataclass(frozen=True)
class _Notice:
    call: str
    client: str
    stream_key: str = field(repr=False)


@routes.post("/rtmp/publish", access=PUBLIC)
async def publish(request: Request) -> Reply[None]:
    """May the encoder publish? 404: unknown or revoked key. 409: in use. 503: nobody can tell now."""
    notice = await _read(request)
    await request.service(RELAYS).publish(notice.stream_key, notice.client)
    return ok()


@routes.post("/rtmp/update", access=PUBLIC)
async def update(request: Request) -> Reply[None]:
    """May the encoder, or our own player, go on? Where nobody can tell now, it may."""
    notice = await _read(request)
    if notice.call == "update_publish":
        try:
            await request.service(RELAYS).still_publishing(notice.stream_key, notice.client)
        except Unavailable:
            return ok()
    return ok()


@routes.post("/rtmp/done", access=PUBLIC)
async def done(request: Request) -> Reply[None]:
    """The encoder is gone."""
    notice = await _read(request)
    request.service(RELAYS).publishing_ended(notice.stream_key, notice.client)
    return ok()


async def _read(request: Request) -> _Notice:
    form = await request.raw.post()
    call, client, name = (form.get(field) for field in ("call", "clientid", "name"))
    if not (isinstance(call, str) and isinstance(client, str) and isinstance(name, str) and name):
        raise NotFound("A stream key is required", code="stream_key_unknown")
    return _Notice(call, client, name)
