"""What hosts do with the codes of their rooms."""

from collections.abc import Collection

from services.session.catalog.codes.domain import RoomCode
from services.session.catalog.codes.repository import RoomCodeRepository
from services.session.catalog.rooms.domain import Room
from services.session.catalog.rooms.roles import TokenRole
from services.session.catalog.rooms.service import RoomService
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.people_and_catalog_events import RoomDeleted
from shared.errors import Conflict, NotFound
from shared.ids import is_room_code, new_room_code

# Each time a new code was somebody else's already.
_ATTEMPTS = 5


class RoomCodeService:
    def __init__(self, codes: RoomCodeRepository, rooms: RoomService, clock: Clock):
        self._codes = codes
        self._rooms = rooms
        self._clock = clock

    async def ensure(self, room_id: str, caller: Caller, roles: Collection[TokenRole]) -> list[RoomCode]:
        """The room's codes for these roles; those that are missing are made.

        Raises `NotFound`, and `Forbidden` also if the room is disabled.
        """
        room = await self._rooms.get_for_host(room_id, caller, None)
        room.check_enabled()
        for _ in range(_ATTEMPTS):
            codes = [code for code in await self._of_room(room_id) if code.role in roles]
            missing = set(roles) - {code.role for code in codes}
            if not missing:
                return codes
            await self._codes.add_many([(self._new(room_id, role), []) for role in missing])
            # The room may have been deleted meanwhile, and its codes with it.
            await self._find_room(room_id)
        raise Conflict("The codes of this room are changing; try again", code="concurrent_change")

    def _new(self, room_id: str, role: TokenRole) -> RoomCode:
        now = self._clock.now()
        return RoomCode(id=new_room_code(), room_id=room_id, role=role, created_at=now, updated_at=now)

    async def list_of_room(
        self, room_id: str, caller: Caller, role: TokenRole | None, *, enabled: bool | None
    ) -> list[RoomCode]:
        """Raises `NotFound`, `Forbidden`."""
        await self._rooms.get_for_host(room_id, caller, None)
        return [
            code
            for code in await self._of_room(room_id)
            if role in {None, code.role} and enabled in {None, code.enabled}
        ]

    async def _of_room(self, room_id: str) -> list[RoomCode]:
        """In the order of the roles."""
        order = list(TokenRole)
        return sorted(await self._codes.list_of_room(room_id), key=lambda code: order.index(code.role))

    async def get(self, code: str, caller: Caller) -> RoomCode:
        """Raises `NotFound`, for codes of others too, and `Forbidden`."""
        caller.hosting_organization()
        found, _ = await self.find(code)
        try:
            await self._rooms.get_for_host(found.room_id, caller, None)
        except NotFound:
            raise NotFound.of("room_code") from None
        return found

    async def switch(self, code: str, caller: Caller, *, enabled: bool) -> RoomCode:
        """Raises what `get` does."""
        found = await self.get(code, caller)
        return await self._codes.change(found.id, lambda one: one.switch(self._clock.now(), enabled=enabled))

    async def find(self, code: str) -> tuple[RoomCode, Room]:
        """The code, whatever its case, and its room; raises `NotFound`."""
        found = await self._codes.find(code.lower()) if is_room_code(code.lower()) else None
        if found is None:
            raise NotFound.of("room_code")
        return found, await self._find_room(found.room_id)

    async def _find_room(self, room_id: str) -> Room:
        """Codes die with their room."""
        try:
            return await self._rooms.get_in_library(room_id, None)
        except NotFound:
            await self._codes.discard_of_room(room_id)
            raise NotFound.of("room_code") from None

    async def delete_with_room(self, event: RoomDeleted) -> None:
        await self._codes.discard_of_room(event.room.id)
