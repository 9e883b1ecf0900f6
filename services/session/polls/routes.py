"""The Polls group."""

from typing import Final

from aiohttp import web

from services.session.polls.schemas import (
    CreatePollRequest,
    PollListResponse,
    PollQuery,
    PollResponse,
    VoteRequest,
)
from services.session.polls.service import PollService
from shared.http import BEARER, MODERATOR, READ, WRITE, Reply, Request, Routes

routes = Routes("Polls")

POLLS: Final = web.AppKey("polls", PollService)


@routes.get("/sessions/{id}/polls", access=BEARER, scope=READ)
async def list_polls(request: Request, query: PollQuery) -> Reply[PollListResponse]:
    """Get polls for a session.

    Newest first. Every `vote_count` is 0 for callers who may not see results.
    """
    return Reply(await request.service(POLLS).list_of_session(request.path_id(), request.caller, query))


@routes.post("/sessions/{id}/polls", access=BEARER, scope=WRITE, status=201, idempotent=True)
async def create_poll(request: Request, body: CreatePollRequest) -> Reply[PollResponse]:
    """Create a poll for a session.

    While the session is live, for callers whose flag allows it. It ends when it is closed, or with the
    session.
    """
    service, reserved = request.service(POLLS), request.reservation.id
    return Reply(await service.create(reserved, request.path_id(), request.caller, body))


@routes.post("/polls/{id}/vote", access=BEARER, scope=WRITE, idempotent=True)
async def vote_on_poll(request: Request, body: VoteRequest) -> Reply[PollResponse]:
    """Vote on a poll.

    One vote per person, or one per option if several are allowed; 409 `already_voted` otherwise. The answer
    counts this vote and all earlier ones; its counts are 0 for callers who may not see results.
    """
    service, call_id = request.service(POLLS), request.reservation.id
    return Reply(await service.vote(call_id, request.path_id(), request.caller, body))


@routes.get("/polls/{id}/results", access=BEARER, scope=READ)
async def get_poll_results(request: Request) -> Reply[PollResponse]:
    """Get poll results."""
    return Reply(await request.service(POLLS).results(request.path_id(), request.caller))


@routes.post("/polls/{id}/close", access=MODERATOR, scope=WRITE)
async def close_poll(request: Request) -> Reply[PollResponse]:
    """Close a poll.

    It accepts no more votes. Closing it again changes nothing.
    """
    return Reply(await request.service(POLLS).close(request.path_id(), request.caller))
