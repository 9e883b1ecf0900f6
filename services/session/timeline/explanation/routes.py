"""Why a session is as it is, for administrators."""

from datetime import datetime
from typing import Final

from aiohttp import web

from services.session.timeline.explanation.service import ExplanationService
from shared.http import ADMIN, READ, Data, Reply, Request, Routes

routes = Routes("Administration")

EXPLANATIONS: Final = web.AppKey("explanations", ExplanationService)


class FindingResponse(Data):
    """What is so and why, in plain words: the session, its stream, or one of its recordings.

    `reason` is a word for programs, `by` the call that did it, with its caller; `estimated`: `at` is not
    exact. `details` are further sentences: what was repaired, what would change it, and when.
    """

    subject: str
    status: str
    reason: str | None
    at: datetime | None
    estimated: bool
    by: str | None
    text: str
    details: list[str]


class ExplanationResponse(Data):
    findings: list[FindingResponse]


@routes.get("/admin/sessions/{id}/explanation", access=ADMIN, scope=READ)
async def explain_session(request: Request) -> Reply[ExplanationResponse]:
    """Why a session, its stream and its recordings ended, failed or have not started, in plain words.

    For a live session also what would end it, and when. What the journal no longer has (90 days) is called
    unknown; 404 if nothing is known of the session.
    """
    findings = await request.service(EXPLANATIONS).explain(request.path_id())
    return Reply(ExplanationResponse(findings=[FindingResponse.of(one) for one in findings]))
