"""The Participants group."""

from typing import Final

from aiohttp import web

from services.session.participants.presenter import (
    AddParticipantRoleRequest,
    ParticipantQuery,
    SessionParticipantResponse,
    SessionParticipantsListResponse,
)
from services.session.participants.service import ParticipantService
from shared.contracts.states import Role
from shared.http import BEARER, HOST, READ, WRITE, Reply, Request, Routes, ok

routes = Routes("Participants")

PARTICIPANTS: Final = web.AppKey("participants", ParticipantService)


@routes.get("/sessions/{id}/participants", access=BEARER, scope=READ)
async def list_participants(
    request: Request, query: ParticipantQuery
) -> Reply[SessionParticipantsListResponse]:
    """Get session participants (co-hosts, moderators).

    Everybody who has or had one of these roles; for callers whom the preset allows to see them.
    """
    return Reply(await request.service(PARTICIPANTS).list(request.path_id(), request.caller, query))


@routes.post("/sessions/{id}/co_hosts", access=HOST, scope=WRITE, status=201, idempotent=True)
async def add_co_host(request: Request, body: AddParticipantRoleRequest) -> Reply[SessionParticipantResponse]:
    """Add a co-host to a session.

    If the preset allows it. Replaces another role of theirs, immediately and on all devices.
    """
    return await _add(request, body, Role.CO_HOST)


@routes.delete("/sessions/{id}/co_hosts/{user_id}", access=HOST, scope=WRITE)
async def remove_co_host(request: Request) -> Reply[None]:
    """Remove a co-host from a session.

    They stay in the room as a viewer and can no longer publish.
    """
    return await _remove(request, Role.CO_HOST)


@routes.post("/sessions/{id}/moderators", access=HOST, scope=WRITE, status=201, idempotent=True)
async def add_moderator(
    request: Request, body: AddParticipantRoleRequest
) -> Reply[SessionParticipantResponse]:
    """Add a moderator to a session.

    The preset says what moderators manage. Replaces another role of theirs.
    """
    return await _add(request, body, Role.MODERATOR)


@routes.delete("/sessions/{id}/moderators/{user_id}", access=HOST, scope=WRITE)
async def remove_moderator(request: Request) -> Reply[None]:
    """Remove a moderator from a session."""
    return await _remove(request, Role.MODERATOR)


async def _add(
    request: Request, body: AddParticipantRoleRequest, role: Role
) -> Reply[SessionParticipantResponse]:
    service = request.service(PARTICIPANTS)
    return Reply(
        await service.add(request.path_id(), request.caller, body.user_id, role, request.reservation.id)
    )


async def _remove(request: Request, role: Role) -> Reply[None]:
    service = request.service(PARTICIPANTS)
    await service.remove(request.path_id(), request.caller, request.path_id("user_id"), role)
    return ok()
