"""The connections to sessions, which are their peers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.gateway.compat.calls import QueryParameters
from services.gateway.compat.operations import ForeignRequest

Native = Mapping[str, Any]

_MOST_AT_ONCE: Final = 1000


async def connections_of(request: ForeignRequest, session_ids: Sequence[str]) -> dict[str, list[Native]]:
    """By session."""
    if not session_ids:
        return {}
    found = await request.native.get("attendance", "/connections", {"session_id": session_ids})
    connections: dict[str, list[Native]] = found["connections"]
    for id in found["incomplete"]:
        connections[id] = await _all_connections(request, id)
    return connections


async def _all_connections(request: ForeignRequest, session_id: str) -> list[Native]:
    """Those of a session that has too many for one answer."""
    connections: list[Native] = []
    cursor: str | None = None
    while True:
        wanted: QueryParameters = {"limit": _MOST_AT_ONCE, "cursor": cursor}
        found = await request.native.get("attendance", f"/sessions/{session_id}/connections", wanted)
        connections += found["connections"]
        cursor = found["next_cursor"]
        if cursor is None:
            return connections
