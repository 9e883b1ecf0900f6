"""What happens in the services, as the ids of what shows it: one table."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from services.gateway.cache.cache import ReadCache
from services.gateway.cache.entry import LISTS
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
from shared.contracts.stream_events import StreamChanged

NAME: Final = "gateway.reads"
# The session service hears of a count, or of a stream, when we do, and shows it when it has stored it.
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
        self._awaited: set[str] = set()

    def broadcast(self) -> Broadcast:
        events: tuple[type[Event], ...] = (*TABLE, ViewersCounted, StreamChanged)
        return Broadcast(NAME, events, self._heard, self._cache.begun, self._cache.ended)

    def _heard(self, envelope: Envelope) -> None:
        event = envelope.event
        if not isinstance(event, ViewersCounted | StreamChanged):
            self._cache.change(TABLE[type(event)](event))
            return
        if not self._awaited:
            asyncio.get_running_loop().call_later(_UNTIL_STORED, self._stored)
        self._awaited.add(event.key)

    def _stored(self) -> None:
        stored, self._awaited = self._awaited, set()
        self._cache.change(stored)
