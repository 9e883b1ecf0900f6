"""The drift ledger for administrators."""

from services.egress.drift.schemas import DriftListResponse, DriftQuery, drift_response
from services.egress.drift.service import DRIFT
from shared.http import ADMIN, Reply, Request, Routes

routes = Routes("Administration")


@routes.get("/admin/drift", access=ADMIN)
async def list_drift(request: Request, query: DriftQuery) -> Reply[DriftListResponse]:
    """List what differed between LiveKit and Greenroom and was repaired, the newest first.

    Entries are kept for 30 days.
    """
    found, total = await request.service(DRIFT).page(query)
    return Reply(
        DriftListResponse(
            drift=[drift_response(entry) for entry in found],
            total=total,
            page=query.page,
            limit=query.limit,
        )
    )
