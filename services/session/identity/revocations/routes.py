"""What the other services ask every half second."""

from typing import Final

from aiohttp import web

from services.session.identity.revocations.service import RevocationService
from shared.access.revocations import Revoked
from shared.http import INTERNAL, Data, Query, Reply, Request, Routes
from shared.http.schema import Moment

routes = Routes("Internal")

REVOKED: Final = web.AppKey("revoked", RevocationService)


class RevokedQuery(Query):
    since: Moment


class RevokedResponse(Data):
    revoked: list[Revoked]


@routes.get("/internal/revocations", access=INTERNAL)
async def list_revoked(request: Request, query: RevokedQuery) -> Reply[RevokedResponse]:
    """What was revoked since a moment: access tokens of it are refused from now on."""
    return Reply(RevokedResponse(revoked=list(await request.service(REVOKED).since(query.since))))
