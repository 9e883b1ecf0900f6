"""Which events rooms follow."""

from collections.abc import Sequence

from services.session.catalog.rooms.service import RoomService
from shared.bus import Reaction, on
from shared.contracts.session_events import LibraryUpdated


def reactions(rooms: RoomService) -> Sequence[Reaction]:
    return [on(LibraryUpdated, rooms.follow_library)]
