"""What hosts do with rooms."""

from collections.abc import Sequence
from contextlib import suppress

from services.session.access.ownership import get_for_host, get_in_library
from services.session.catalog.libraries.service import LibraryService
from services.session.catalog.presets.service import PresetService, unknown_preset
from services.session.catalog.rooms.domain import Room, changed_options
from services.session.catalog.rooms.presenter import RoomPresenter, RoomSessions
from services.session.catalog.rooms.repository import RoomRepository
from services.session.catalog.rooms.schemas import (
    CreateRoomRequest,
    MyRoomsQuery,
    MyRoomsResponse,
    RoomListResponse,
    RoomResponse,
    UpdateRoomRequest,
)
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.people_and_catalog_events import LibraryUpdated, RoomUpdated
from shared.contracts.states import RoomOptions
from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound
from shared.http.schema import Page
from shared.persistence.mongo import Duplicate


class RoomService:
    def __init__(
        self,
        rooms: RoomRepository,
        sessions: RoomSessions,
        libraries: LibraryService,
        presets: PresetService,
        presenter: RoomPresenter,
        clock: Clock,
    ):
        self._rooms = rooms
        self._sessions = sessions
        self._libraries = libraries
        self._presets = presets
        self._presenter = presenter
        self._clock = clock

    async def create(
        self, id: str, caller: Caller, library_id: str | None, body: CreateRoomRequest
    ) -> RoomResponse:
        """Create a room of the caller's under the reserved `id`."""
        library = await self._libraries.for_hosting(library_id, caller)
        await self._check_preset(body.preset_id, caller, library_id)
        now = self._clock.now()
        given = body.changes()
        enabled = given.pop("enabled", True)
        room = Room(
            id=id,
            organization_id=library.organization_id,
            library_id=library.id,
            host_id=caller.user_id,
            listed=library.listed and not body.unlisted,
            registered_only=library.registered_only,
            disabled_at=None if enabled else now,
            options=changed_options(RoomOptions(), body.options()),
            created_at=now,
            updated_at=now,
            **given,
        )
        try:
            await self._rooms.add(room, room.created())
        except Duplicate:
            room = await self._repeated(room)
        return await self._presenter.one(await self._follow(room), caller)

    async def _repeated(self, room: Room) -> Room:
        """The room that an earlier call of the same made; raises `Conflict` if another has its name."""
        made = await self._rooms.find(room.id)
        if made is None:
            raise _name_taken()
        return made

    async def _check_preset(self, preset_id: str | None, caller: Caller, library_id: str | None) -> None:
        """Raises `InvalidRequest` unless it is a preset of the caller's."""
        if preset_id is None:
            return
        try:
            await self._presets.get_for_host(preset_id, caller, library_id)
        except (NotFound, Forbidden):
            raise InvalidRequest([unknown_preset()]) from None

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

    async def list_mine(self, library_id: str | None, query: MyRoomsQuery, caller: Caller) -> MyRoomsResponse:
        await self._libraries.check_own(library_id, caller)
        # One more than asked for tells whether more follow.
        rooms, total = await self._rooms.list_of_host(
            caller.user_id, library_id, query.skip, query.limit + 1, query.filter()
        )
        shown = rooms[: query.limit]
        page = await self._list(shown, total, query, caller)
        return MyRoomsResponse(**dict(page), next_cursor=shown[-1].id if len(rooms) > query.limit else None)

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
        room = await self.get_for_host(id, caller, library_id)
        before = room.standing
        await self._check_preset(body.preset_id, caller, library_id)
        library = await self._libraries.get(room.library_id)
        try:
            room = await self._rooms.change(id, lambda room: self._edit(room, body, public=library.listed))
        except Duplicate:
            raise _name_taken() from None
        if room.standing != before:
            await self._have_sessions_follow(room)
        return await self._presenter.one(room, caller)

    async def follow_room(self, event: RoomUpdated) -> None:
        """The room's sessions follow whether it is in public lists and lets people in."""
        room = await self._rooms.find(event.room.id)
        if room is not None:
            await self._have_sessions_follow(room)

    async def _have_sessions_follow(self, room: Room) -> None:
        """Again if the room changed meanwhile: an older state may have been applied after a newer one."""
        found: Room | None = room
        applied = None
        while found is not None and found.standing != applied:
            applied = found.standing
            await self._sessions.follow_room(room.id, applied)
            found = await self._rooms.find(room.id)

    def _edit(self, room: Room, body: UpdateRoomRequest, *, public: bool) -> Sequence[Event]:
        room.options = changed_options(room.options, body.options())
        return room.edit(self._clock.now(), public=public, **body.changes())

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


def _name_taken() -> Conflict:
    return Conflict("Another room of the library has this name", code="room_name_taken")
