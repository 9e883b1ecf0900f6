"""How rooms follow what happens elsewhere."""

from services.session.catalog.libraries.repository import LibraryRepository
from services.session.catalog.rooms.repository import RoomRepository
from services.session.sessions.repository import SessionRepository
from shared.contracts.session_events import LibraryUpdated


class RoomReactions:
    def __init__(self, rooms: RoomRepository, sessions: SessionRepository, libraries: LibraryRepository):
        self._rooms = rooms
        self._sessions = sessions
        self._libraries = libraries

    async def follow_library(self, event: LibraryUpdated) -> None:
        """Public lists show a library's rooms and sessions, or no longer do; so for whom they admit.

        The library's newest state decides, so that two events may come in any order.
        """
        library = await self._libraries.find(event.library.id)
        if library is None:
            return
        for room_id in await self._rooms.ids_in_library(library.id):
            await self._rooms.change(
                room_id,
                lambda room: room.follow(listed=library.listed, registered_only=library.registered_only),
            )
        await self._sessions.follow_library(
            library.id, listed=library.listed, registered_only=library.registered_only
        )
