"""What happens in the services, as the ids of what shows it: one table."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from services.gateway.reads.cache import ReadCache
from services.gateway.reads.entry import LISTS
from shared.bus import Broadcast
from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Envelope, Event
from shared.contracts.session_events import (
    LibraryUpdated,
    PresetDeleted,
    PresetEvent,
    PresetUpdated,
    RoomDeleted,
    RoomEvent,
    RoomUpdated,
    SessionDeleted,
    SessionEnded,
    SessionEvent,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
    UserUpdated,
)

NAME: Final = "gateway.reads"
# The session service hears of a count when we do, and shows it when it has stored it.
_UNTIL_STORED: Final = 0.1


def _of_session(event: SessionEvent) -> set[str]:
    return {event.session.id, event.session.room_id}


def _of_room(event: RoomEvent) -> set[str]:
    return {event.room.id}


def _of_preset(event: PresetEvent) -> set[str]:
    return {event.preset.id}


def _of_user(event: UserUpdated) -> set[str]:
    return {event.user.id}


def _of_library(event: LibraryUpdated) -> set[str]:
    return {event.library.id, LISTS}


# What was only just made is shown by nothing yet but lists, which may be a second old.
TABLE: Final[Mapping[type[Event], Callable[[Any], set[str]]]] = {
    SessionUpdated: _of_session,
    SessionStarted: _of_session,
    SessionEnded: _of_session,
    SessionExpired: _of_session,
    SessionDeleted: _of_session,
    RoomUpdated: _of_room,
    RoomDeleted: _of_room,
    PresetUpdated: _of_preset,
    PresetDeleted: _of_preset,
    UserUpdated: _of_user,
    LibraryUpdated: _of_library,
}


class Changes:
    """Tells the cache what changed."""

    def __init__(self, cache: ReadCache):
        self._cache = cache
        self._counted: set[str] = set()

    def broadcast(self) -> Broadcast:
        events: tuple[type[Event], ...] = (*TABLE, ViewersCounted)
        return Broadcast(NAME, events, self._heard, self._cache.begun, self._cache.ended)

    def _heard(self, envelope: Envelope) -> None:
        event = envelope.event
        if not isinstance(event, ViewersCounted):
            self._cache.change(TABLE[type(event)](event))
            return
        if not self._counted:
            asyncio.get_running_loop().call_later(_UNTIL_STORED, self._stored)
        self._counted.add(event.session_id)

    def _stored(self) -> None:
        counted, self._counted = self._counted, set()
        self._cache.change(counted)
