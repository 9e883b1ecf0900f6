"""The drift ledger for administrators."""

from typing import Final

from aiohttp import web

from services.egress.drift.schemas import DriftListResponse, DriftQuery, DriftResponse
from services.egress.drift.service import DriftLedger
from shared.http import ADMIN, Reply, Request, Routes

DRIFT: Final = web.AppKey("drift", DriftLedger)

routes = Routes("Administration")


@routes.get("/admin/drift", access=ADMIN)
async def list_drift(request: Request, query: DriftQuery) -> Reply[DriftListResponse]:
    """List what differed between LiveKit and Greenroom and was corrected, the newest first.

    Entries are kept for 30 days.
    """
    found, total = await request.service(DRIFT).page(query)
    entries = [DriftResponse.model_validate(entry, from_attributes=True) for entry in found]
    return Reply(DriftListResponse(drift=entries, total=total, page=query.page, limit=query.limit))
