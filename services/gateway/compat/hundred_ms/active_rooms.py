"""Rooms with a live session, and who is in them now."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Self

from aiohttp import web
from pydantic import AliasChoices, BeforeValidator, Field, StringConstraints, model_validator

from services.gateway.compat.hundred_ms.account import customer_id
from services.gateway.compat.hundred_ms.live_session import live_session
from services.gateway.compat.hundred_ms.roles import NATIVE_ROLES, RoleName, shown_role
from services.gateway.compat.hundred_ms.schemas import Confirmation
from services.gateway.compat.hundred_ms.session_translation import (
    active_peer,
    active_peer_with_tracks,
    active_room,
    user_id,
)
from services.gateway.compat.hundred_ms.validation import read_body, read_query
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.rendering import respond
from shared.errors import NotFound
from shared.http import READ, WRITE, Body, Query
from shared.ids import is_id

Native = Mapping[str, Any]

operations: Final = ForeignOperations("/v2")


def _unset_if_empty(sent: object) -> object:
    return None if sent == "" else sent


PeerId = Annotated[str | None, BeforeValidator(_unset_if_empty)]
PeerRole = Annotated[RoleName | None, BeforeValidator(_unset_if_empty)]


class PeerListQuery(Query):
    user_id: str | None = None
    role: str | None = None


class PeerUpdate(Body):
    name: str | None = None
    role: PeerRole = None
    metadata: str | None = None


class MessageBody(Body):
    """To one peer, to all of a role, or to everybody; the published client writes `peerId`."""

    message: Annotated[str, StringConstraints(min_length=1)]
    peer_id: Annotated[PeerId, Field(validation_alias=AliasChoices("peer_id", "peerId"))] = None
    role: PeerRole = None
    type: str | None = None


class PeerRemoval(Body):
    """`reason` goes on in a URL, which is not of any length."""

    peer_id: PeerId = None
    role: PeerRole = None
    reason: Annotated[str, StringConstraints(max_length=500)] | None = None

    @model_validator(mode="after")
    def _whom(self) -> Self:
        if self.peer_id is None and self.role is None:
            raise ValueError("peer_id or role is required")
        return self


class RoomEnd(Body):
    """`lock` also disables the room."""

    reason: str | None = None
    lock: bool = False


@operations.get("/active-rooms/{room_id}", scope=READ)
async def get_active_room(request: ForeignRequest) -> web.Response:
    session = await live_session(request)
    participants = await _participants(request, session)
    return respond(active_room(session, participants, customer_id(request)).model_dump())


@operations.get("/active-rooms/{room_id}/peers", scope=READ)
async def list_peers(request: ForeignRequest) -> web.Response:
    query = read_query(request, PeerListQuery)
    participants = await _participants(request, await live_session(request))
    peers = {
        one["id"]: active_peer(one).model_dump()
        for one in participants
        if query.user_id in {None, user_id(one)} and query.role in {None, shown_role(one["role"])}
    }
    return respond({"peers": peers})


@operations.get("/active-rooms/{room_id}/peers/{peer_id}", scope=READ)
async def get_peer(request: ForeignRequest) -> web.Response:
    path = _peer_path(await live_session(request), request.parameters["peer_id"])
    return _respond_with_peer(await request.native.get("session", path))


@operations.post("/active-rooms/{room_id}/peers/{peer_id}", scope=WRITE)
async def update_peer(request: ForeignRequest) -> web.Response:
    body = read_body(request, PeerUpdate)
    changes = body.model_dump(exclude_none=True)
    if body.role is not None:
        changes["role"] = NATIVE_ROLES[body.role][0]
    path = _peer_path(await live_session(request), request.parameters["peer_id"])
    return _respond_with_peer(await request.native.patch("session", path, changes))


@operations.post("/active-rooms/{room_id}/send-message", scope=WRITE)
async def send_message(request: ForeignRequest) -> web.Response:
    body = read_body(request, MessageBody)
    session = await live_session(request)
    path = f"/sessions/{session['id']}/room/messages"
    message = body.model_dump(include={"message", "type"}, exclude_none=True)
    asked = [request.native.post("session", path, message | to) for to in _recipients(body)]
    await asyncio.gather(*asked)
    return respond(Confirmation(message="message sent").model_dump())


@operations.post("/active-rooms/{room_id}/remove-peers", scope=WRITE)
async def remove_peers(request: ForeignRequest) -> web.Response:
    body = read_body(request, PeerRemoval)
    session = await live_session(request)
    asked = [
        request.native.delete("session", path, {**which, "reason": body.reason})
        for path, which in _removals(session, body)
    ]
    await asyncio.gather(*asked)
    return respond(Confirmation(message="peer remove request submitted").model_dump())


@operations.post("/active-rooms/{room_id}/end-room", scope=WRITE)
async def end_room(request: ForeignRequest) -> web.Response:
    body = read_body(request, RoomEnd)
    session = await live_session(request)
    if body.lock:
        # First: nobody is to begin the next session in between.
        await request.native.patch("session", f"/rooms/{session['room_id']}", {"enabled": False})
    await request.native.post("session", f"/sessions/{session['id']}/end")
    return respond(Confirmation(message="session is ending").model_dump())


async def _participants(request: ForeignRequest, session: Native) -> Sequence[Native]:
    found = await request.native.get("session", f"/sessions/{session['id']}/room/participants")
    participants: Sequence[Native] = found["participants"]
    return participants


def _recipients(body: MessageBody) -> list[dict[str, str]]:
    if body.peer_id is not None:
        return [{"connection_id": _peer_id(body.peer_id)}]
    if body.role is not None:
        return [{"role": role} for role in NATIVE_ROLES[body.role]]
    return [{}]


def _removals(session: Native, body: PeerRemoval) -> list[tuple[str, dict[str, str]]]:
    """Paths and queries of what removes them."""
    if body.peer_id is not None:
        return [(_peer_path(session, body.peer_id), {})]
    roles = NATIVE_ROLES[body.role] if body.role is not None else ()
    return [(f"/sessions/{session['id']}/room/participants", {"role": role}) for role in roles]


def _peer_path(session: Native, id: str) -> str:
    return f"/sessions/{session['id']}/room/participants/{_peer_id(id)}"


def _peer_id(id: str) -> str:
    if not is_id(id):
        raise NotFound.of("peer")
    return id


def _respond_with_peer(participant: Native) -> web.Response:
    return respond(active_peer_with_tracks(participant).model_dump())
