"""Carrying out repairs; each ends as an entry of the drift ledger."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.egress.reconciler.connections.repository import ConnectionRepository
from services.egress.reconciler.domain import Kind, Repair
from services.egress.reconciler.drift.service import DriftLedger
from services.egress.reconciler.rights import expected_permissions, permission_repair
from services.egress.reconciler.rosters.repository import RosterRepository
from services.egress.reconciler.sessions.service import Sessions
from shared.clock import Clock
from shared.contracts.livekit_events import Connection
from shared.livekit import LiveKit


@dataclass(frozen=True)
class Done:
    """A repair as it was found to be needed at the last moment, and what was done about it."""

    repair: Repair
    action: str


class Repairer:
    """What takes something away asks the session's owner first: events may be late."""

    def __init__(
        self,
        livekit: LiveKit,
        sessions: Sessions,
        connections: ConnectionRepository,
        rosters: RosterRepository,
        ledger: DriftLedger,
        clock: Clock,
    ):
        self._livekit = livekit
        self._sessions = sessions
        self._connections = connections
        self._rosters = rosters
        self._ledger = ledger
        self._clock = clock
        self._ways: dict[Kind, Callable[[Repair], Awaitable[Done | None]]] = {
            Kind.MISSED_JOIN: self._open,
            Kind.MISSED_LEAVE: self._close,
            Kind.GHOST: self._drop,
            Kind.PERMISSION: self._correct,
            Kind.ROOM_LOST: self._lose,
            Kind.ROOM_LEFTOVER: self._clear,
        }

    async def carry_out(self, repair: Repair) -> None:
        """Do it, unless it is not needed any more, and write it down. Raises `Unavailable`: try again."""
        done = await self._ways[repair.kind](repair)
        if done is not None:
            await self._ledger.record(done.repair, done.action)

    async def _open(self, repair: Repair) -> Done:
        connection = _of(repair)
        await self._connections.appear(repair.session_id, repair.room_sid, connection)
        return Done(repair, f"counted since it joined at {connection.joined_at.isoformat()}")

    async def _close(self, repair: Repair) -> Done:
        connection = _of(repair)
        last_seen_at = repair.last_seen_at or connection.joined_at
        await self._connections.presume_gone({connection.participant_sid: last_seen_at})
        return Done(repair, f"counted as gone since its last proof of life at {last_seen_at.isoformat()}")

    async def _drop(self, repair: Repair) -> Done | None:
        identity = _of(repair).identity
        if await self._livekit.has_participant(repair.session_id, identity):
            return None  # Its person came back meanwhile.
        await self._livekit.drop_ghost(repair.session_id, identity)
        return Done(repair, "taken off LiveKit's list")

    async def _correct(self, repair: Repair) -> Done | None:
        known = await self._sessions.ask(repair.session_id)
        if known is None or not known.live or repair.permissions is None:
            return None
        needed = permission_repair(known.state, _of(repair), repair.permissions)
        expected = expected_permissions(known.state, _of(repair))
        if needed is None or expected is None:
            return None
        found = await self._livekit.update_participant(repair.session_id, _of(repair).identity, expected)
        return Done(needed, "permissions set as believed") if found else None

    async def _lose(self, repair: Repair) -> Done | None:
        known = await self._sessions.ask(repair.session_id)
        if known is None or not known.live:
            return None
        now = self._clock.now()
        proof = repair.last_seen_at or known.state.started_at or now
        await self._rosters.tell(repair.session_id, now, lambda roster: roster.lose(now, proof))
        return Done(repair, "session told to end at the last proof of life")

    async def _clear(self, repair: Repair) -> Done | None:
        known = await self._sessions.ask(repair.session_id)
        if known is not None and known.live:
            return None
        await self._livekit.delete_room(repair.session_id)
        return Done(repair, "room closed")


def _of(repair: Repair) -> Connection:
    if repair.connection is None:
        raise ValueError(f"a {repair.kind} is about a connection")
    return repair.connection
