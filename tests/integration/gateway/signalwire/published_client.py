"""Calls of the published client, and what the services answer to them."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from signalwire.rest import RestClient, SignalWireRestError

from tests.integration.gateway.fixtures import CALLER
from tests.unit.gateway.signalwire.fixtures import ROOM_ID, SESSION_ID, native_room, native_session

Call: TypeAlias = Callable[[RestClient], Any]
# Runs a call, which blocks, in a thread.
Calling: TypeAlias = Callable[[Call], Awaitable[Any]]

RECORDING_ID = "0190b5b0-7c5c-7000-8000-000000000003"
OURS = {"host_id": CALLER.user_id}
RECORDING = {
    **OURS,
    "id": RECORDING_ID,
    "session_id": SESSION_ID,
    "room_id": ROOM_ID,
    "status": "completed",
    "started_at": "2026-03-01T10:00:00Z",
    "finished_at": "2026-03-01T10:01:00Z",
    "duration": 60,
    "file_size": 1000,
    "download_url": "https://example.com/listed",
    "created_at": "2026-03-01T10:00:00Z",
    "updated_at": "2026-03-01T10:01:00Z",
}
NO_MORE = {"next_cursor": None}
NO_EVENTS: dict[str, Any] = {"events": [], **NO_MORE}
ROOMS = {"rooms": [native_room(**OURS)], **NO_MORE}
NO_ROOMS: dict[str, Any] = {"rooms": [], **NO_MORE}
LIVE = {"sessions": [native_session(**OURS)], **NO_MORE}
LINK = {"download_url": "https://example.com/signed", "expires_at": "2026-03-01T11:00:00Z"}
NOT_FOUND = (404, {"error": "Not Found"})


async def refused(call: Calling, made: Call) -> SignalWireRestError:
    with pytest.raises(SignalWireRestError) as caught:
        await call(made)
    return caught.value


def attributes(error: SignalWireRestError) -> list[tuple[str, str]]:
    """Attribute and code of each complaint."""
    assert error.status_code == 422
    return [(one["attribute"], one["code"]) for one in error.body["errors"]]
