"""Internal operations of the session service: the RTMP ingest of a session."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import StringConstraints

from services.egress.ingest.service import IngestOrder, IngestService
from shared.access.encoders import EncoderOwner
from shared.http import INTERNAL, Body, Data, Reply, Request, Routes
from shared.http.schema import Id

routes = Routes("Internal")

INGESTS: Final = web.AppKey("ingests", IngestService)


class IngestRequest(Body):
    """`name` is how the encoder is shown in the room.

    `user_id` and `key_id` say who asks (see `EncoderOwner`), by default the host; `is_guest` that they gave a
    display name only.
    """

    session_id: Id
    host_id: Id
    user_id: Id | None = None
    key_id: Id | None = None
    is_guest: bool = False
    name: Annotated[str, StringConstraints(max_length=255)]

    @property
    def order(self) -> IngestOrder:
        owner = EncoderOwner(self.user_id, self.key_id) if self.user_id else None
        return IngestOrder(self.session_id, self.host_id, self.name, owner, self.is_guest)


class IngestResponse(Data):
    """Encoders send RTMP to `url` with `stream_key`, a secret."""

    ingress_id: str
    url: str
    stream_key: str


@routes.post("/internal/ingests", access=INTERNAL)
async def ensure_ingest(request: Request, body: IngestRequest) -> Reply[IngestResponse]:
    """Somebody's RTMP ingest of a session, made with the first call; the same for every later one."""
    ingress = await request.service(INGESTS).ensure(body.order)
    return Reply(IngestResponse.of(ingress))


@routes.post("/internal/ingests/renew", access=INTERNAL)
async def renew_ingest(request: Request, body: IngestRequest) -> Reply[IngestResponse]:
    """Another RTMP ingest of a session, replacing the present one."""
    ingress = await request.service(INGESTS).renew(body.order)
    return Reply(IngestResponse.of(ingress))
