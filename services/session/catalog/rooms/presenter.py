"""Rooms as they are shown: with their host and the session that is live in them."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from services.session.access.ownership import is_of_own
from services.session.catalog.rooms.domain import Room, RoomStanding
from services.session.catalog.rooms.schemas import RoomResponse
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.accounts.schemas import user_response
from shared.access.identity import Caller


class RoomSessions(Protocol):
    """What rooms ask of the sessions in them."""

    async def live_in_rooms(self, room_ids: Sequence[str]) -> dict[str, str]:
        """The live session's id by room, for those that have one."""
        ...

    async def follow_library(self, library_id: str, *, listed: bool, registered_only: bool) -> None:
        """`listed`: the library is in public lists, and so are its rooms that are not unlisted."""
        ...

    async def follow_room(self, room_id: str, standing: RoomStanding) -> None: ...


class RoomPresenter:
    def __init__(self, users: UserRepository, sessions: RoomSessions):
        self._users = users
        self._sessions = sessions

    async def one(self, room: Room, viewer: Caller | None) -> RoomResponse:
        return (await self.many([room], viewer))[0]

    async def many(self, rooms: Sequence[Room], viewer: Caller | None) -> list[RoomResponse]:
        """The rooms as `viewer` may see them, with two reads; a deleted account is no host.

        What customers keep with a room is for their own organization alone.
        """
        hosts, active = await asyncio.gather(
            self._users.find_many([room.host_id for room in rooms]),
            self._sessions.live_in_rooms([room.id for room in rooms]),
        )
        return [
            RoomResponse.of(
                room,
                **room.options.model_dump(),
                meta=room.meta if is_of_own(viewer, room) else {},
                host=user_response(host, viewer) if (host := hosts.get(room.host_id)) else None,
                active_session_id=active.get(room.id),
            )
            for room in rooms
        ]
