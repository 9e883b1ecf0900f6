"""What hosts do with rooms."""

from contextlib import suppress

from services.session.access.ownership import get_for_host, get_in_library
from services.session.catalog.libraries.service import LibraryService
from services.session.catalog.rooms.domain import Room
from services.session.catalog.rooms.presenter import RoomPresenter, RoomSessions
from services.session.catalog.rooms.repository import RoomRepository
from services.session.catalog.rooms.schemas import (
    CreateRoomRequest,
    RoomListResponse,
    RoomResponse,
    UpdateRoomRequest,
)
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.people_and_catalog_events import LibraryUpdated
from shared.errors import Conflict, NotFound
from shared.http.schema import Page
from shared.persistence.mongo import Duplicate


class RoomService:
    def __init__(
        self,
        rooms: RoomRepository,
        sessions: RoomSessions,
        libraries: LibraryService,
        presenter: RoomPresenter,
        clock: Clock,
    ):
        self._rooms = rooms
        self._sessions = sessions
        self._libraries = libraries
        self._presenter = presenter
        self._clock = clock

    async def create(
        self, id: str, caller: Caller, library_id: str | None, body: CreateRoomRequest
    ) -> RoomResponse:
        """Create a room of the caller's under the reserved `id`."""
        library = await self._libraries.for_hosting(library_id, caller)
        now = self._clock.now()
        room = Room(
            id=id,
            organization_id=library.organization_id,
            library_id=library.id,
            host_id=caller.user_id,
            listed=library.listed,
            registered_only=library.registered_only,
            title=body.title,
            description=body.description,
            analytics=body.analytics.analytics() if body.analytics else None,
            created_at=now,
            updated_at=now,
        )
        try:
            await self._rooms.add(room, room.created())
        except Duplicate:
            room = await self._rooms.get(id)
        return await self._presenter.one(await self._follow(room), caller)

    async def _follow(self, room: Room) -> Room:
        """Apply what happened to the library while the room was being created: only earlier ones followed."""
        library = await self._libraries.get(room.library_id)
        return await self._rooms.change(
            room.id,
            lambda one: one.follow(listed=library.listed, registered_only=library.registered_only),
        )

    async def list_public(
        self, library_id: str | None, page: Page, viewer: Caller | None
    ) -> RoomListResponse:
        await self._libraries.check_readable(library_id, viewer)
        rooms, total = await self._rooms.list_public(library_id, page.skip, page.limit)
        return await self._list(rooms, total, page, viewer)

    async def list_mine(self, library_id: str | None, page: Page, caller: Caller) -> RoomListResponse:
        await self._libraries.check_own(library_id, caller)
        rooms, total = await self._rooms.list_of_host(caller.user_id, library_id, page.skip, page.limit)
        return await self._list(rooms, total, page, caller)

    async def _list(
        self, rooms: list[Room], total: int, page: Page, viewer: Caller | None
    ) -> RoomListResponse:
        views = await self._presenter.many(rooms, viewer)
        return RoomListResponse(rooms=views, total=total, page=page.page, limit=page.limit)

    async def get(self, id: str, library_id: str | None, viewer: Caller | None) -> RoomResponse:
        return await self._presenter.one(await self.get_in_library(id, library_id), viewer)

    async def get_in_library(self, id: str, library_id: str | None) -> Room:
        """The room for anybody who knows its id, in the library of the call; raises `NotFound`."""
        return await get_in_library(self._rooms, id, library_id)

    async def get_for_host(self, id: str, caller: Caller, library_id: str | None) -> Room:
        """The room, if the caller hosts it; raises `NotFound`, `Forbidden`."""
        return await get_for_host(self._rooms, id, caller, library_id)

    async def update(
        self, id: str, caller: Caller, library_id: str | None, body: UpdateRoomRequest
    ) -> RoomResponse:
        await self.get_for_host(id, caller, library_id)
        room = await self._rooms.change(id, lambda room: room.edit(self._clock.now(), **body.changes()))
        return await self._presenter.one(room, caller)

    async def delete(self, id: str, caller: Caller, library_id: str | None) -> None:
        """Delete a room with its sessions; refused while one of them is live."""
        await self.get_for_host(id, caller, library_id)
        if await self._sessions.live_in_rooms([id]):
            raise Conflict("A session of this room is live", code="session_live")
        await self._rooms.remove(id, Room.delete)

    async def follow_library(self, event: LibraryUpdated) -> None:
        """Follows a library's visibility and whom its sessions admit.

        The library's newest state decides, so that events may arrive in any order.
        """
        try:
            library = await self._libraries.get(event.library.id)
        except NotFound:
            return
        listed, registered_only = library.listed, library.registered_only
        for room_id in await self._rooms.ids_in_library(library.id):
            with suppress(NotFound):
                await self._rooms.change(
                    room_id, lambda room: room.follow(listed=listed, registered_only=registered_only)
                )
        await self._sessions.follow_library(library.id, listed=listed, registered_only=registered_only)
