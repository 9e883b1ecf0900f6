"""What belongs to the caller, of all that can be read by its id."""

from collections.abc import Mapping
from typing import Any, Final

from services.gateway.compat.operations import ForeignRequest
from shared.errors import NotFound
from shared.ids import is_id

_BEGUN: Final = frozenset({"live", "ended"})


async def own_room(request: ForeignRequest, id: str) -> Mapping[str, Any]:
    """Raises `NotFound`, also for somebody else's."""
    return await _own(request, "session", "room", id)


async def own_session(request: ForeignRequest, id: str) -> Mapping[str, Any]:
    """Raises `NotFound`, also for somebody else's, and for one that nobody has joined yet."""
    session = await _own(request, "session", "session", id)
    if session["status"] not in _BEGUN:
        raise NotFound.of("session")
    return session


async def own_recording(request: ForeignRequest, id: str) -> Mapping[str, Any]:
    """Raises `NotFound`, also for somebody else's."""
    return await _own(request, "egress", "recording", id)


async def _own(request: ForeignRequest, service: str, noun: str, id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = None
    if is_id(id):
        found = await request.native.get(service, f"/{noun}s/{id}")
    if found is None or found["host_id"] != request.caller.user_id:
        raise NotFound.of(noun)
    return found
