"""The Moderation group."""

from typing import Final

from aiohttp import web

from services.session.moderation.presenter import (
    BannedParticipantResponse,
    BannedParticipantsListResponse,
    BanParticipantRequest,
    BanStatusResponse,
)
from services.session.moderation.service import ModerationService
from shared.http import BEARER, MODERATOR, READ, WRITE, Reply, Request, Routes, ok
from shared.http.schema import Page

routes = Routes("Moderation")

MODERATION: Final = web.AppKey("moderation", ModerationService)


@routes.post("/sessions/{id}/ban", access=MODERATOR, scope=WRITE, status=201, idempotent=True)
async def ban_participant(request: Request, body: BanParticipantRequest) -> Reply[BannedParticipantResponse]:
    """Ban a participant.

    Disconnects them immediately on all devices and keeps them out; ends their role and their place on stage.
    With a viewer, everybody who registered from the same device is banned. Banning again changes nothing.
    Hosts, co-hosts and the caller cannot be banned.
    """
    service = request.service(MODERATION)
    return Reply(await service.ban(request.path_id(), request.caller, body, request.reservation.id))


@routes.delete("/sessions/{id}/ban/{user_id}", access=MODERATOR, scope=WRITE)
async def unban_participant(request: Request) -> Reply[None]:
    """Unban a participant.

    They may join again, as a viewer, and so may everybody who was banned with their device.
    """
    service = request.service(MODERATION)
    await service.unban(request.path_id(), request.caller, request.path_id("user_id"))
    return ok()


@routes.get("/sessions/{id}/banned", access=MODERATOR, scope=READ)
async def list_banned(request: Request, query: Page) -> Reply[BannedParticipantsListResponse]:
    """Get banned participants list.

    Newest ban first.
    """
    return Reply(await request.service(MODERATION).list(request.path_id(), request.caller, query))


@routes.get("/sessions/{id}/ban_status", access=BEARER, scope=READ)
async def get_ban_status(request: Request) -> Reply[BanStatusResponse]:
    """Check if current user is banned."""
    return Reply(await request.service(MODERATION).status(request.path_id(), request.caller))
