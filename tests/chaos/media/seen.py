"""What everybody can see of a play: the API's session, attendance, journal and drift, and LiveKit's lists."""

from dataclasses import dataclass
from typing import Any

from shared.livekit import LiveKit
from tests.chaos.media.plays import Play
from tests.chaos.world import Api


@dataclass(frozen=True)
class Seen:
    """`listed` are the sids in LiveKit's room, None where there is no room; `rows` attendance by user id."""

    session: dict[str, Any]
    watching: int
    rows: dict[str, dict[str, Any]]
    drift: list[dict[str, Any]]
    endings: list[dict[str, Any]]
    listed: set[str] | None

    def repaired(self, kind: str) -> dict[str, dict[str, Any]]:
        """The ledger's entries of this kind by the connection's sid, empty for the room."""
        return {(one["participant"] or {"sid": ""})["sid"]: one for one in self.drift if one["kind"] == kind}


async def look(api: Api, admin: str, livekit: LiveKit, play: Play) -> Seen:
    id_ = play.session_id
    attendance = await api.get(f"/sessions/{id_}/attendance?limit=100", play.access)
    drift = await api.get(f"/admin/drift?session_id={id_}&limit=100", admin)
    journal = await api.get(f"/admin/sessions/{id_}/journal?limit=100", admin)
    rooms = await livekit.list_rooms([id_])
    return Seen(
        session=await api.get(f"/sessions/{id_}", play.access) or {},
        watching=attendance["currently_watching"] if attendance else -1,
        rows={row["user_id"]: row for row in attendance["attendance"]} if attendance else {},
        drift=drift["drift"] if drift else [],
        endings=[
            one["data"]["session"]
            for one in (journal["entries"] if journal else [])
            if one["name"] == "session.ended.v1"
        ],
        listed={one.sid for one in await livekit.list_participants(id_)} if rooms else None,
    )
