"""The Participants group: the people in a session's room."""

from typing import Final

from aiohttp import web

from services.session.room_participants.messages import RoomMessageService
from services.session.room_participants.schemas import (
    RemovalQuery,
    RemovedParticipantsResponse,
    RoleRemovalQuery,
    RoomMessageRequest,
    RoomParticipantResponse,
    RoomParticipantsResponse,
    UpdateRoomParticipantRequest,
)
from services.session.room_participants.service import RoomParticipantService
from shared.http import HOST, READ, WRITE, Reply, Request, Routes, ok

routes = Routes("Participants")

ROOM_PARTICIPANTS: Final = web.AppKey("room_participants", RoomParticipantService)
ROOM_MESSAGES: Final = web.AppKey("room_messages", RoomMessageService)


@routes.get("/sessions/{id}/room/participants", access=HOST, scope=READ, mirrored=True, conflicts=True)
async def list_room_participants(request: Request) -> Reply[RoomParticipantsResponse]:
    """Get the people in a live session's room.

    Everybody who is connected now, each device for itself, in order of joining; without monitors, recorders
    and encoders.
    """
    service = request.service(ROOM_PARTICIPANTS)
    found = await service.list(request.path_id(), request.caller, request.library_id)
    return Reply(RoomParticipantsResponse(participants=[RoomParticipantResponse.of(one) for one in found]))


@routes.delete("/sessions/{id}/room/participants", access=HOST, scope=WRITE, mirrored=True)
async def remove_room_participants(
    request: Request, query: RoleRemovalQuery
) -> Reply[RemovedParticipantsResponse]:
    """Disconnect everybody in a role.

    Before that they are sent the `reason`, if there is one, as a message of the type `removed`. Their tokens
    still let them join again; to keep somebody out, ban them.
    """
    service = request.service(ROOM_PARTICIPANTS)
    removed = await service.remove_all(
        request.path_id(), request.caller, request.library_id, query.role, query.reason
    )
    return Reply(RemovedParticipantsResponse(removed=removed))


@routes.get(
    "/sessions/{id}/room/participants/{connection_id}",
    access=HOST,
    scope=READ,
    mirrored=True,
    conflicts=True,
)
async def get_room_participant(request: Request) -> Reply[RoomParticipantResponse]:
    """Get somebody in a live session's room."""
    service, id = request.service(ROOM_PARTICIPANTS), request.path_id("connection_id")
    found = await service.get(request.path_id(), request.caller, request.library_id, id)
    return Reply(RoomParticipantResponse.of(found))


@routes.patch("/sessions/{id}/room/participants/{connection_id}", access=HOST, scope=WRITE, mirrored=True)
async def update_room_participant(
    request: Request, body: UpdateRoomParticipantRequest
) -> Reply[RoomParticipantResponse]:
    """Change somebody in a live session's room.

    The name and metadata are this connection's until it ends. A role is the person's in the session, on all
    devices; as `stage` they have a place on stage that is kept for them, beside those that are limited in
    number. The host's role cannot be changed.
    """
    service, id = request.service(ROOM_PARTICIPANTS), request.path_id("connection_id")
    changed = await service.update(request.path_id(), request.caller, request.library_id, id, body.update())
    return Reply(RoomParticipantResponse.of(changed))


@routes.delete("/sessions/{id}/room/participants/{connection_id}", access=HOST, scope=WRITE, mirrored=True)
async def remove_room_participant(request: Request, query: RemovalQuery) -> Reply[None]:
    """Disconnect somebody from a live session's room.

    Before that they are sent the `reason`, if there is one, as a message of the type `removed`. Their token
    still lets them join again; to keep them out, ban them.
    """
    service, id = request.service(ROOM_PARTICIPANTS), request.path_id("connection_id")
    await service.remove(request.path_id(), request.caller, request.library_id, id, query.reason)
    return ok()


@routes.post("/sessions/{id}/room/messages", access=HOST, scope=WRITE, mirrored=True)
async def send_room_message(request: Request, body: RoomMessageRequest) -> Reply[None]:
    """Send a message to the people in a live session's room.

    As a LiveKit data message on the topic `greenroom.message`: JSON with `type`, `message`, `sent_at` and
    `sender`. It reaches those who are connected now, and is kept nowhere.
    """
    service = request.service(ROOM_MESSAGES)
    await service.send(request.path_id(), request.caller, request.library_id, body.room_message())
    return ok()
