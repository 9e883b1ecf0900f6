"""Answering those who ask for a place on stage."""

from services.session.sessions.access import SessionAccess
from services.session.stage.requests.domain import StageRequest
from services.session.stage.requests.repository import StageRequestRepository
from services.session.stage.seats.service import StageService
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.session_events import SessionDeleted, SessionUpdated
from shared.contracts.states import RequestKind, RequestStatus
from shared.errors import Conflict, NotFound
from shared.http.schema import Page


class StageApprovalService:
    def __init__(
        self,
        requests: StageRequestRepository,
        access: SessionAccess,
        stage: StageService,
        clock: Clock,
    ):
        self._requests = requests
        self._access = access
        self._stage = stage
        self._clock = clock

    async def pending(
        self, session_id: str, caller: Caller, kind: RequestKind, page: Page
    ) -> tuple[list[StageRequest], int]:
        """Who waits and is not banned, the first to ask first, and how many do.

        Raises `NotFound`, `Forbidden`.
        """
        session, _ = await self._access.authorize(session_id, caller, permission="stage_manage")
        return await self._requests.list_pending(
            session.id, kind, page.skip, page.limit, without=session.banned
        )

    async def approve(
        self, session_id: str, caller: Caller, kind: RequestKind, request_id: str
    ) -> StageRequest:
        """Give the place first, then approve: the stage never exceeds its limit.

        Raises `NotFound`, `Forbidden`, and `Conflict` if there is no free place, or the request was withdrawn
        or rejected meanwhile.
        """
        request = await self._managed(session_id, caller, kind, request_id)
        request.check_approvable()
        if not request.is_pending:
            return request
        await self._stage.take_seat(request.session_id, request.user_id, request.name, request.id)
        return await self._approve(request)

    async def _approve(self, request: StageRequest) -> StageRequest:
        """Mark it approved; if that is no longer possible, its place is freed.

        After a failure in between, even a crash, `finish` completes place and request.
        """
        try:
            return await self._requests.change(request.id, lambda one: one.approve(self._clock.now()))
        except NotFound:
            await self._take_back(request.session_id, request.user_id, request.id)
            raise Conflict("This request was withdrawn", code="request_withdrawn") from None
        except Conflict as error:
            if error.code == "request_rejected":
                await self._take_back(request.session_id, request.user_id, request.id)
            raise

    async def _take_back(self, session_id: str, user_id: str, request_id: str) -> None:
        await self._stage.free_seat(session_id, user_id, request_id=request_id)

    async def reject(
        self, session_id: str, caller: Caller, kind: RequestKind, request_id: str
    ) -> StageRequest:
        """Raises `NotFound`, `Forbidden`, and `Conflict` for one that was approved."""
        request = await self._managed(session_id, caller, kind, request_id)
        return await self._requests.change(request.id, lambda one: one.reject(self._clock.now()))

    async def _managed(
        self, session_id: str, caller: Caller, kind: RequestKind, request_id: str
    ) -> StageRequest:
        session, _ = await self._access.authorize(session_id, caller, permission="stage_manage")
        request = await self._requests.find(request_id)
        if request is None or (request.session_id, request.kind) != (session.id, kind):
            raise NotFound.of("stage_request")
        return request

    async def finish(self, event: SessionUpdated) -> None:
        """See to it that every place given for a request has one that is approved.

        Whoever approved it may have come no further than to give the place.
        """
        if not any(seat.request_id for seat in event.session.stage.values()):
            return
        given = await self._stage.given(event.session.id)
        known = await self._requests.find_many(list(given))
        for request_id, user_id in given.items():
            request = known.get(request_id)
            if request is None or request.status is RequestStatus.REJECTED:
                await self._take_back(event.session.id, user_id, request_id)
            elif request.is_pending:
                await self._approve(request)

    async def forget(self, event: SessionDeleted) -> None:
        """A deleted session's requests are deleted."""
        await self._requests.remove_session(event.session.id)
