"""The drift ledger for administrators."""

from datetime import datetime
from typing import Final

from aiohttp import web

from services.egress.drift.domain import Kind
from services.egress.drift.service import DriftLedger
from shared.http import ADMIN, READ, Data, Reply, Request, Routes
from shared.http.schema import Id, Moment, Page

DRIFT: Final = web.AppKey("drift", DriftLedger)

routes = Routes("Administration")


class DriftQuery(Page):
    """Narrows the list to one session, to one kind, to what was corrected at or after `since`."""

    session_id: Id | None = None
    kind: Kind | None = None
    since: Moment | None = None


class DriftParticipantResponse(Data):
    sid: str
    identity: str
    user_id: str
    username: str


class DriftResponse(Data):
    """One correction. `participant` is null if it was about a room.

    `last_seen_at` is when what was found to be gone was last seen alive. `estimated`: times that follow from
    the correction are not exact.
    """

    id: str
    at: datetime
    session_id: str
    kind: Kind
    participant: DriftParticipantResponse | None
    believed: str
    observed: str
    action: str
    last_seen_at: datetime | None
    estimated: bool


class DriftListResponse(Data):
    drift: list[DriftResponse]
    total: int
    page: int
    limit: int


@routes.get("/admin/drift", access=ADMIN, scope=READ)
async def list_drift(request: Request, query: DriftQuery) -> Reply[DriftListResponse]:
    """List what differed between LiveKit and Greenroom and was corrected, the newest first.

    Entries are kept for 30 days.
    """
    found, total = await request.service(DRIFT).list_newest(
        query.session_id, query.kind, query.since, skip=query.skip, limit=query.limit
    )
    entries = [DriftResponse.of(entry) for entry in found]
    return Reply(DriftListResponse(drift=entries, total=total, page=query.page, limit=query.limit))
