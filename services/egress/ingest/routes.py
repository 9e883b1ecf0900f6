"""Internal operations of the session service: the RTMP ingest of a session."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import StringConstraints

from services.egress.ingest.service import IngestService
from shared.http import INTERNAL, Body, Data, Reply, Request, Routes
from shared.http.schema import Id

routes = Routes("Internal")

INGESTS: Final = web.AppKey("ingests", IngestService)


class IngestRequest(Body):
    """`name` is how the host is shown in the room."""

    session_id: Id
    host_id: Id
    name: Annotated[str, StringConstraints(max_length=255)]


class IngestResponse(Data):
    """Encoders send RTMP to `url` with `stream_key`, a secret."""

    ingress_id: str
    url: str
    stream_key: str


@routes.post("/internal/ingests", access=INTERNAL)
async def ensure_ingest(request: Request, body: IngestRequest) -> Reply[IngestResponse]:
    """The RTMP ingest of a session, made with the first call; the same for every later one."""
    ingress = await request.service(INGESTS).ensure(body.session_id, body.host_id, body.name)
    return Reply(IngestResponse.of(ingress))


@routes.post("/internal/ingests/renew", access=INTERNAL)
async def renew_ingest(request: Request, body: IngestRequest) -> Reply[IngestResponse]:
    """Another RTMP ingest of a session, replacing the present one."""
    ingress = await request.service(INGESTS).renew(body.session_id, body.host_id, body.name)
    return Reply(IngestResponse.of(ingress))
