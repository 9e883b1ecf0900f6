"""What is visible of a session: the API's session, attendance, journal and drift, and LiveKit's lists."""

from dataclasses import dataclass
from typing import Any

from shared.livekit import LiveKit
from tests.chaos.api_reader import Api
from tests.chaos.media.live_sessions import LiveSession


@dataclass(frozen=True)
class Observation:
    """`rows` is the attendance by user id; `recordings` by state.

    `listed` are people's sids in LiveKit's room, recorders left out; None where there is no room.
    """

    session: dict[str, Any]
    watching: int
    rows: dict[str, dict[str, Any]]
    drift: list[dict[str, Any]]
    endings: list[dict[str, Any]]
    listed: set[str] | None
    stream: str
    recordings: list[str]

    def repaired(self, kind: str) -> dict[str, dict[str, Any]]:
        """The ledger's entries of this kind by the connection's sid, empty for the room."""
        return {(one["participant"] or {"sid": ""})["sid"]: one for one in self.drift if one["kind"] == kind}


async def _people(livekit: LiveKit, room: str) -> set[str]:
    return {one.sid for one in await livekit.list_participants(room) if not one.permissions.recorder}


async def observe(api: Api, admin: str, livekit: LiveKit, live: LiveSession) -> Observation:
    id_ = live.session_id
    attendance = await api.get(f"/sessions/{id_}/attendance?limit=100", live.access)
    drift = await api.get(f"/admin/drift?session_id={id_}&limit=100", admin)
    journal = await api.get(f"/admin/sessions/{id_}/journal?limit=100", admin)
    rooms = await livekit.list_rooms([id_])
    health = await api.get(f"/sessions/{id_}/stream_health", live.access)
    recordings = await api.get(f"/sessions/{id_}/recordings", live.access)
    return Observation(
        session=await api.get(f"/sessions/{id_}", live.access) or {},
        watching=attendance["currently_watching"] if attendance else -1,
        rows={row["user_id"]: row for row in attendance["attendance"]} if attendance else {},
        drift=drift["drift"] if drift else [],
        endings=[
            one["data"]["session"]
            for one in (journal["entries"] if journal else [])
            if one["name"] == "session.ended.v1"
        ],
        listed=await _people(livekit, id_) if rooms else None,
        stream=str(health["egress"]["status"]) if health and health["egress"] else "none",
        recordings=[str(one["status"]) for one in (recordings["recordings"] if recordings else [])],
    )
