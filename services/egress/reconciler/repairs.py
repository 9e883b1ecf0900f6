"""Carrying out repairs; each ends as an entry of the drift ledger."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.egress.drift.service import DriftLedger
from services.egress.reconciler.connections.repository import ConnectionRepository
from services.egress.reconciler.domain import Done, Kind, Repair
from services.egress.reconciler.rights import permission_repair, rights_of
from services.egress.reconciler.rosters.repository import RosterRepository
from services.egress.reconciler.sessions.service import Sessions
from shared.access.permissions import role_of
from shared.clock import Clock
from shared.contracts.livekit_events import Connection
from shared.errors import AppError
from shared.livekit import LiveKit

log = structlog.get_logger(__name__)

# How one is done; None where it was found not to be needed any more.
One = Callable[[Repair], Awaitable[Done | None]]


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
        self._singly: dict[Kind, One] = {
            Kind.GHOST: self._drop,
            Kind.PERMISSION: self._correct,
            Kind.BANNED: self._correct,
            Kind.ROOM_LOST: self._lose,
            Kind.ROOM_LEFTOVER: self._clear,
        }

    async def carry_out(self, repairs: Sequence[Repair]) -> list[Repair]:
        """Do what is still needed and write it down; returns all but those that have to be tried again.

        The repairs are of one room. Connections open and close together, however many there are.
        """
        by_kind: defaultdict[Kind, list[Repair]] = defaultdict(list)
        for repair in repairs:
            by_kind[repair.kind].append(repair)
        settled = await asyncio.gather(*(self._attempt(kind, some) for kind, some in by_kind.items()))
        return [repair for some in settled for repair in some]

    async def _attempt(self, kind: Kind, repairs: Sequence[Repair]) -> list[Repair]:
        if kind is Kind.MISSED_JOIN:
            return await self._tried(repairs, self._open(repairs))
        if kind is Kind.MISSED_LEAVE:
            return await self._tried(repairs, self._close(repairs))
        one = self._singly[kind]
        tried = await asyncio.gather(*(self._tried([repair], _each(one, repair)) for repair in repairs))
        return [repair for some in tried for repair in some]

    async def _tried(self, repairs: Sequence[Repair], doing: Awaitable[list[Done]]) -> list[Repair]:
        """The repairs, once they are done and written down; none where that failed."""
        try:
            await self._ledger.record(await doing)
        except AppError as error:
            room, kind = repairs[0].session_id, repairs[0].kind
            log.warning("drift.not_repaired", session_id=room, kind=kind, error=error.message)
            return []
        return list(repairs)

    async def _open(self, repairs: Sequence[Repair]) -> list[Done]:
        await self._connections.appear(
            repairs[0].session_id, repairs[0].room_sid, [_of(repair) for repair in repairs]
        )
        return [
            Done(repair, f"counted since it joined at {_of(repair).joined_at.isoformat()}")
            for repair in repairs
        ]

    async def _close(self, repairs: Sequence[Repair]) -> list[Done]:
        gone = {
            connection.participant_sid: repair.last_seen_at or connection.joined_at
            for repair, connection in ((one, _of(one)) for one in repairs)
        }
        await self._connections.presume_gone(gone)
        told = "counted as gone since its last proof of life at"
        return [Done(repair, f"{told} {gone[_of(repair).participant_sid].isoformat()}") for repair in repairs]

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
        if needed is not None and needed.kind is Kind.BANNED:
            return await self._remove(needed)
        expected = rights_of(known.state, _of(repair))
        if needed is None or expected is None:
            return None
        role = role_of(known.state, _of(repair).user_id)
        found = await self._livekit.update_participant(
            repair.session_id, _of(repair).identity, expected, role
        )
        return Done(needed, "permissions set as believed") if found else None

    async def _remove(self, repair: Repair) -> Done | None:
        found = await self._livekit.remove_participant(repair.session_id, _of(repair).identity)
        return Done(repair, "taken out of the room") if found else None

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


async def _each(one: One, repair: Repair) -> list[Done]:
    done = await one(repair)
    return [done] if done else []


def _of(repair: Repair) -> Connection:
    if repair.connection is None:
        raise ValueError(f"a {repair.kind} is about a connection")
    return repair.connection
