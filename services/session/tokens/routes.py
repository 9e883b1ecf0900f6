"""The Sessions group: tokens for joining."""

from typing import Final

from aiohttp import web

from services.session.identity.accounts.schemas import user_response
from services.session.sessions.schemas import JoinSessionResponse
from services.session.tokens.code_exchange import CodeExchange
from services.session.tokens.schemas import (
    ExchangeRoomCodeRequest,
    IssueRoomTokensRequest,
    IssueRoomTokensResponse,
    IssueTokensRequest,
    IssueTokensResponse,
)
from services.session.tokens.service import TokenService
from shared.http import ANONYMOUS, BEARER, HOST, MODERATOR, WRITE, Reply, Request, Routes

routes = Routes("Sessions")

room_routes = Routes("Rooms")

TOKENS: Final = web.AppKey("tokens", TokenService)
CODE_EXCHANGE: Final = web.AppKey("code_exchange", CodeExchange)


@routes.post("/sessions/{id}/join", access=BEARER, scope=WRITE, mirrored=True)
async def join_session(request: Request) -> Reply[JoinSessionResponse]:
    """Join a session (get LiveKit token).

    The token is valid for 10 minutes; connections made with it stay. The session must be live.
    """
    service = request.service(TOKENS)
    made = await service.join(request.path_id(), request.caller, request.library_id)
    return Reply(JoinSessionResponse.of(made))


@routes.get("/sessions/{id}/monitor", access=MODERATOR, scope=WRITE, mirrored=True, conflicts=True)
async def monitor_session(request: Request) -> Reply[JoinSessionResponse]:
    """Get monitor token for a session.

    For a hidden participant that only subscribes and is not counted.
    """
    service = request.service(TOKENS)
    made = await service.monitor(request.path_id(), request.caller, request.library_id)
    return Reply(JoinSessionResponse.of(made))


@routes.post("/sessions/{id}/tokens", access=HOST, scope=WRITE, status=201, idempotent=True)
async def issue_tokens(request: Request, body: IssueTokensRequest) -> Reply[IssueTokensResponse]:
    """Issue a join token for one of the customer's users.

    For API keys: a customer's backend gives its own users access. The user is identified by
    `external_user_id` within the organization and created on first use.
    """
    issued = await request.service(TOKENS).issue(request.path_id(), request.caller, body)
    return Reply(IssueTokensResponse.of(issued, user=user_response(issued.user, request.caller)))


@room_routes.post("/rooms/{id}/tokens", access=HOST, scope=WRITE, status=201, idempotent=True)
async def issue_room_tokens(request: Request, body: IssueRoomTokensRequest) -> Reply[IssueRoomTokensResponse]:
    """Issue a join token for a room.

    For API keys: for one of the customer's people, who joins the room's live session. If the room is
    `auto_session` and none is live, the token is for a pending session, which starts with the first person
    who joins and ends with the last to leave; tokens die with their session. Everybody in the room sees
    `external_user_id` and `metadata`.
    """
    issued = await request.service(TOKENS).issue_for_room(
        request.path_id(), request.caller, body.grant(), request.reservation.id
    )
    return Reply(IssueRoomTokensResponse.issued(issued, request.caller))


@room_routes.post("/room_codes/{code}/exchange", access=ANONYMOUS, status=201, secret=["code"])
async def exchange_room_code(
    request: Request, body: ExchangeRoomCodeRequest
) -> Reply[IssueRoomTokensResponse]:
    """Exchange a room code for a join token.

    As for a room's tokens; everybody who exchanges one is a new guest.
    """
    code = request.raw.match_info["code"]
    issued = await request.service(CODE_EXCHANGE).exchange(code, body.external_user_id, body.name)
    return Reply(IssueRoomTokensResponse.issued(issued, issued.user.caller("")))
