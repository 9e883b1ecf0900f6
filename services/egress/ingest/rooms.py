"""LiveKit's ingresses and the rooms they join: open as soon as a session has an ingress.

It joins the room before it reports an encoder. Where LiveKit opens no rooms by itself
(`auto_create: false`) an encoder would be thrown out otherwise, and nobody would learn that it was there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.ingest.repository import IngestRepository
from services.egress.sessions.projection import EgressSessionProjection
from shared.contracts.states import SessionStatus
from shared.livekit import Ingress, LiveKit
from shared.livekit.ports import PUBLISHING

# Seconds. LiveKit keeps a room that nobody has joined, or that everybody has left, for so long; the end of
# its session closes it in any case.
_KEPT = 24 * 3600


class IngressesInRooms:
    """LiveKit's ingresses, published by those alone that are in their rooms.

    LiveKit lists what a worker last reported, also when the worker is dead; its participant goes then.
    """

    def __init__(self, livekit: LiveKit):
        self._livekit = livekit
        self.create_rtmp_ingress = livekit.create_rtmp_ingress
        self.delete_ingress = livekit.delete_ingress

    async def list_ingresses(self, room: str | None = None) -> Sequence[Ingress]:
        listed = await self._livekit.list_ingresses(room)
        return await asyncio.gather(*(self._as_seen(one) for one in listed))

    async def _as_seen(self, ingress: Ingress) -> Ingress:
        if ingress.status != PUBLISHING:
            return ingress
        present = await self._livekit.list_participants(ingress.room)
        if any(one.identity == ingress.identity for one in present):
            return ingress
        return replace(ingress, status="inactive", ended_at=None)


class IngestRooms:
    """Opens them, and opens those again that LiveKit has lost or closed, while sessions are scheduled.

    A live session that lost its room is the reconciler's.
    """

    def __init__(self, livekit: LiveKit, ingests: IngestRepository, sessions: EgressSessionProjection):
        self._livekit = livekit
        self._ingests = ingests
        self._sessions = sessions

    async def open(self, session_id: str) -> None:
        """Open it; an open one stays as it is. Raises `Unavailable`."""
        await self._livekit.create_room(session_id, empty_timeout=_KEPT, departure_timeout=_KEPT)

    async def differences(self) -> list[Drift]:
        opened = list({one.session_id for one in await self._ingests.list_open() if one.made})
        known = await self._sessions.known(opened)
        waiting = [id for id, one in known.items() if one.state.status is SessionStatus.SCHEDULED]
        listed = {room.name for room in await self._livekit.list_rooms(waiting)}
        return [
            Drift(Kind.INGRESS_ROOM, id, "room open for the encoder", "no such room")
            for id in waiting
            if id not in listed and not known[id].over
        ]

    async def correct(self, drift: Drift) -> DriftCorrection | None:
        known = await self._sessions.ask(drift.session_id)
        if known is None or known.over or not await self._ingests.awaits_encoder(drift.session_id):
            return None
        await self.open(drift.session_id)
        return DriftCorrection(drift, "room opened", estimated=False)
