"""Raised hands and join requests: asking for a place on stage, and answering."""

from typing import Final

from aiohttp import web

from services.session.stage.requests.approvals import StageApprovalService
from services.session.stage.requests.schemas import (
    HandRaiseResponse,
    HandRaisesResponse,
    JoinRequestResponse,
    JoinRequestsResponse,
    PendingQuery,
    RaiseHandRequest,
    hand_response,
    join_response,
)
from services.session.stage.requests.service import StageRequestService
from shared.contracts.states import RequestKind
from shared.http import BEARER, MODERATOR, READ, WRITE, Reply, Request, Routes, ok

routes = Routes("Stage")
management = Routes("Stage Management")

STAGE_REQUESTS: Final = web.AppKey("stage_asking", StageRequestService)
STAGE_APPROVALS: Final = web.AppKey("stage_answering", StageApprovalService)

HAND, JOIN = RequestKind.HAND, RequestKind.JOIN


@routes.post("/sessions/{id}/raise_hand", access=BEARER, scope=WRITE, status=201, idempotent=True)
async def raise_hand(request: Request, body: RaiseHandRequest) -> Reply[HandRaiseResponse]:
    """Raise hand to request stage access.

    A hand that is raised already stays the same one, with the new message.
    """
    service = request.service(STAGE_REQUESTS)
    hand = await service.raise_hand(request.reservation, request.path_id(), request.caller, body)
    return Reply(hand_response(hand))


@routes.post("/sessions/{id}/lower_hand", access=BEARER, scope=WRITE)
async def lower_hand(request: Request) -> Reply[None]:
    """Lower hand.

    Removes the hand raise. Also 200 if there was none.
    """
    await request.service(STAGE_REQUESTS).lower_hand(request.path_id(), request.caller)
    return ok()


@routes.get("/sessions/{id}/hand_raise_status", access=BEARER, scope=READ)
async def get_hand_raise_status(request: Request) -> Reply[HandRaiseResponse | None]:
    """Get my hand raise status.

    The caller's newest hand raise and its status; null if there is none.
    """
    hand = await request.service(STAGE_REQUESTS).mine(request.path_id(), request.caller, HAND)
    return Reply(hand_response(hand) if hand else None)


@routes.post("/sessions/{id}/join_requests", access=BEARER, scope=WRITE, status=201, idempotent=True)
async def create_join_request(request: Request) -> Reply[JoinRequestResponse]:
    """Create a join request.

    If one is pending already, it is returned.
    """
    service = request.service(STAGE_REQUESTS)
    made = await service.ask(request.reservation, request.path_id(), request.caller, JOIN)
    return Reply(join_response(made))


@routes.get("/sessions/{id}/join_requests/my", access=BEARER, scope=READ)
async def get_my_join_request(request: Request) -> Reply[JoinRequestResponse | None]:
    """Get my join request status.

    The caller's newest request and its status; null if there is none.
    """
    mine = await request.service(STAGE_REQUESTS).mine(request.path_id(), request.caller, JOIN)
    return Reply(join_response(mine) if mine else None)


@management.get("/sessions/{id}/join_requests", access=MODERATOR, scope=READ)
async def list_join_requests(request: Request, query: PendingQuery) -> Reply[JoinRequestsResponse]:
    """Get pending join requests.

    Oldest first; `total` counts all pending ones.
    """
    service = request.service(STAGE_APPROVALS)
    found, total = await service.pending(request.path_id(), request.caller, JOIN, query)
    return Reply(JoinRequestsResponse(join_requests=[join_response(one) for one in found], total=total))


@management.post("/sessions/{id}/join_requests/{request_id}/approve", access=MODERATOR, scope=WRITE)
async def approve_join_request(request: Request) -> Reply[JoinRequestResponse]:
    """Approve a join request.

    The person is on stage immediately, without joining again. Refused with 409 if the stage is full or
    switched off; approving again changes nothing.
    """
    service, request_id = request.service(STAGE_APPROVALS), request.path_id("request_id")
    return Reply(join_response(await service.approve(request.path_id(), request.caller, JOIN, request_id)))


@management.post("/sessions/{id}/join_requests/{request_id}/reject", access=MODERATOR, scope=WRITE)
async def reject_join_request(request: Request) -> Reply[JoinRequestResponse]:
    """Reject a join request.

    The person may ask again.
    """
    service, request_id = request.service(STAGE_APPROVALS), request.path_id("request_id")
    return Reply(join_response(await service.reject(request.path_id(), request.caller, JOIN, request_id)))


@management.get("/sessions/{id}/hand_raises", access=MODERATOR, scope=READ)
async def list_hand_raises(request: Request, query: PendingQuery) -> Reply[HandRaisesResponse]:
    """Get pending hand raises.

    Oldest first; `total` counts all pending ones.
    """
    service = request.service(STAGE_APPROVALS)
    found, total = await service.pending(request.path_id(), request.caller, HAND, query)
    return Reply(HandRaisesResponse(hand_raises=[hand_response(one) for one in found], total=total))


@management.post("/sessions/{id}/hand_raises/{hand_raise_id}/approve", access=MODERATOR, scope=WRITE)
async def approve_hand_raise(request: Request) -> Reply[HandRaiseResponse]:
    """Approve a hand raise.

    The person is on stage immediately, without joining again. Refused with 409 if the stage is full or
    switched off; approving again changes nothing.
    """
    service, hand_id = request.service(STAGE_APPROVALS), request.path_id("hand_raise_id")
    return Reply(hand_response(await service.approve(request.path_id(), request.caller, HAND, hand_id)))


@management.post("/sessions/{id}/hand_raises/{hand_raise_id}/reject", access=MODERATOR, scope=WRITE)
async def reject_hand_raise(request: Request) -> Reply[HandRaiseResponse]:
    """Reject a hand raise.

    The hand is lowered; the person may raise it again.
    """
    service, hand_id = request.service(STAGE_APPROVALS), request.path_id("hand_raise_id")
    return Reply(hand_response(await service.reject(request.path_id(), request.caller, HAND, hand_id)))
