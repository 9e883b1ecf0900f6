"""Reading the audit log; there is no operation that changes or deletes what is in it."""

from datetime import datetime
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from services.session.audit.audit_filter import AuditFilter
from services.session.audit.service import AuditService
from shared.contracts.states import AuditOutcome
from shared.http import ADMIN, READ, Data, Reply, Request, Routes
from shared.http.schema import CursorPage, Moment

routes = Routes("Administration")

AUDIT_LOG: Final = web.AppKey("audit_log", AuditService)

Filtered = Annotated[str, Field(max_length=255)]


class AuditQuery(CursorPage):
    """Narrows the log to what has all that is given, and to calls from `since` to before `until`.

    `actor` is as in the answer, `operation` such as `PATCH /admin/users/{id}`, `target` an id.
    """

    actor: Filtered | None = None
    operation: Filtered | None = None
    target: Filtered | None = None
    outcome: AuditOutcome | None = None
    since: Moment | None = None
    until: Moment | None = None

    def filter(self) -> AuditFilter:
        return AuditFilter(**self.model_dump(exclude={"cursor", "limit"}))


class AuditedCallResponse(Data):
    """A call or command. `actor` is `user:<id>`, `key:<id>`, `command:<user of the system>@<machine>` or
    `settings:<service>`; `targets` are the ids in its path and of what it created.

    `fields` are those of its body: switches, choices and numbers with their value, of text the name alone.
    `outcome` is `begun` while it runs, and if its process died; `status` is HTTP's, `refusal` its code.
    """

    id: str
    at: datetime
    ended_at: datetime | None
    service: str
    operation: str
    actor: str
    actor_name: str | None
    targets: list[str]
    fields: dict[str, bool | int | float | str | None]
    outcome: AuditOutcome
    status: int | None
    refusal: str | None
    client_address: str | None
    request_id: str | None


class AuditResponse(Data):
    calls: list[AuditedCallResponse]
    next_cursor: str | None


@routes.get("/admin/audit", access=ADMIN, scope=READ)
async def read_audit_log(request: Request, query: AuditQuery) -> Reply[AuditResponse]:
    """What administrators did and were refused, newest first.

    Their calls that change something, of all services, and commands; kept for 365 days by default
    (`GREENROOM_AUDIT_KEPT_DAYS`). Nobody can change or delete it by the API.
    """
    found, next_cursor = await request.service(AUDIT_LOG).read(
        query.filter(), cursor=query.cursor, limit=query.limit
    )
    return Reply(
        AuditResponse(
            calls=[AuditedCallResponse.of(call, refusal=call.code) for call in found], next_cursor=next_cursor
        )
    )
