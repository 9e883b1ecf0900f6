"""The stage itself: who is on it, for the guests and for those who manage it."""

from typing import Final

from aiohttp import web

from services.session.sessions.schemas import JoinSessionResponse
from services.session.stage.seats.schemas import (
    AddToStageRequest,
    RemoveFromStageRequest,
    StageParticipantResponse,
    StageResponse,
    UpdateStagePermissionsRequest,
)
from services.session.stage.seats.service import StageService
from shared.access.room_permissions import user_of
from shared.http import BEARER, MODERATOR, READ, WRITE, Reply, Request, Routes, ok

routes = Routes("Stage")
management = Routes("Stage Management")

STAGE: Final = web.AppKey("stage", StageService)


@routes.get("/sessions/{id}/stage", access=BEARER, scope=READ)
async def list_stage(request: Request) -> Reply[StageResponse]:
    """Get current stage participants.

    The guests on stage now, in order of joining it; hosts and co-hosts need no place. For callers who may see
    participants.
    """
    return Reply(await request.service(STAGE).show(request.path_id(), request.caller))


@routes.post("/sessions/{id}/stage/leave", access=BEARER, scope=WRITE)
async def leave_stage(request: Request) -> Reply[None]:
    """Leave the stage.

    All devices of the caller stop publishing immediately and keep watching. Also 200 if they were not on
    stage.
    """
    await request.service(STAGE).leave(request.path_id(), request.caller)
    return ok()


@routes.get("/sessions/{id}/stage/token", access=BEARER, scope=WRITE, conflicts=True)
async def get_stage_token(request: Request) -> Reply[JoinSessionResponse]:
    """Get a stage token for LiveKit.

    For people on stage, with their permissions to publish. Connected clients need none: their permissions
    change in place.
    """
    return Reply(
        JoinSessionResponse.of(await request.service(STAGE).token(request.path_id(), request.caller))
    )


@management.post("/sessions/{id}/stage/add", access=MODERATOR, scope=WRITE)
async def add_to_stage(request: Request, body: AddToStageRequest) -> Reply[StageParticipantResponse]:
    """Add participant to stage.

    Whether or not they asked; they must take part in the session or belong to the organization. Refused with
    409 if the stage is full or switched off. Adding somebody on stage again updates their permissions.
    """
    return Reply(await request.service(STAGE).add(request.path_id(), request.caller, body))


@management.post("/sessions/{id}/stage/remove", access=MODERATOR, scope=WRITE)
async def remove_from_stage(request: Request, body: RemoveFromStageRequest) -> Reply[None]:
    """Remove participant from stage.

    All their devices stop publishing immediately and keep watching. Also 200 if they were not on stage.
    """
    service = request.service(STAGE)
    await service.remove(request.path_id(), request.caller, body.participant_identity)
    return ok()


@management.patch("/sessions/{id}/stage/{participant_identity}/permissions", access=MODERATOR, scope=WRITE)
async def update_stage_permissions(
    request: Request, body: UpdateStagePermissionsRequest
) -> Reply[StageParticipantResponse]:
    """Update stage participant permissions.

    Mutes and unmutes: a source that is no longer allowed is unpublished immediately. Absent fields are kept,
    null allows again.
    """
    user_id = user_of(request.raw.match_info["participant_identity"]).lower()
    stage = request.service(STAGE)
    return Reply(await stage.set_permissions(request.path_id(), request.caller, user_id, body))
