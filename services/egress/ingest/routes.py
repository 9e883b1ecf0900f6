from typing import Final

from aiohttp import web

from services.egress.ingest.schemas import IngestRequest, IngestResponse, ingest_response
from services.egress.ingest.service import IngestService
from shared.http import INTERNAL, Reply, Request, Routes

routes = Routes("Internal")

INGESTS: Final = web.AppKey("ingests", IngestService)


@routes.post("/internal/ingests", access=INTERNAL)
async def ensure_ingest(request: Request, body: IngestRequest) -> Reply[IngestResponse]:
    """The RTMP ingest of a session, made with the first call; the same for every later one."""
    ingress = await request.service(INGESTS).ensure(body.session_id, body.host_id, body.name)
    return Reply(ingest_response(ingress))


@routes.post("/internal/ingests/renew", access=INTERNAL)
async def renew_ingest(request: Request, body: IngestRequest) -> Reply[IngestResponse]:
    """Another RTMP ingest of a session, replacing the present one."""
    ingress = await request.service(INGESTS).renew(body.session_id, body.host_id, body.name)
    return Reply(ingest_response(ingress))
