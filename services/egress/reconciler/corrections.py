"""Correcting drift in rooms; each correction ends as an entry of the drift ledger."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.drift.service import DriftLedger
from services.egress.reconciler.connections import ExpectedConnections
from services.egress.reconciler.permission_drift import expected_permissions_of, permission_drift
from services.egress.reconciler.rosters import RosterRepository
from services.egress.reconciler.track_enforcer import TrackEnforcer
from services.egress.sessions.projection import EgressSessionProjection
from shared.access.permissions import role_of
from shared.access.room_permissions import IsRevoked, never_revoked
from shared.clock import Clock
from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import REMOVED_FROM_ROOM
from shared.errors import AppError
from shared.livekit import LiveKit
from shared.persistence.lease import Lease

log = structlog.get_logger(__name__)

# How differences of one kind are corrected; without those that turn out to need no correction.
_Correct = Callable[[Sequence[Drift]], Awaitable[list[DriftCorrection]]]


class RoomCorrector:
    """Whatever removes something asks the session service first: events may be late.

    Corrections that only the reconciler makes need the lease, checked right before: a holder
    that was frozen meanwhile knows nothing of what its successor did. Permissions are corrected without it.
    """

    def __init__(
        self,
        livekit: LiveKit,
        sessions: EgressSessionProjection,
        connections: ExpectedConnections,
        rosters: RosterRepository,
        ledger: DriftLedger,
        lease: Lease,
        clock: Clock,
        is_revoked: IsRevoked = never_revoked,
    ):
        self._livekit = livekit
        self._sessions = sessions
        self._connections = connections
        self._rosters = rosters
        self._ledger = ledger
        self._lease = lease
        self._clock = clock
        self._is_revoked = is_revoked
        self._together: dict[Kind, _Correct] = {
            Kind.MISSED_JOIN: self._open,
            Kind.MISSED_LEAVE: self._close,
        }
        self._singly: dict[Kind, Callable[[Drift], Awaitable[DriftCorrection | None]]] = {
            Kind.STALE_PARTICIPANT: self._drop,
            Kind.PERMISSION: self._enforce_permissions,
            Kind.BANNED: self._enforce_permissions,
            Kind.REVOKED: self._enforce_permissions,
            Kind.TRACK: TrackEnforcer(livekit, sessions, ledger).end_tracks,
            Kind.ROOM_LOST: self._lose,
            Kind.ROOM_LEFTOVER: self._delete_room,
            Kind.PENDING_ROOM: self._report_missing,
        }

    async def correct(self, drifts: Sequence[Drift]) -> list[Drift]:
        """Correct what still differs and record it; returns all but those that have to be tried again.

        They are of one room. Connections open and close together, however many there are.
        """
        by_kind: defaultdict[Kind, list[Drift]] = defaultdict(list)
        for drift in drifts:
            by_kind[drift.kind].append(drift)
        tried = await asyncio.gather(
            *(
                self._try(some, correct)
                for kind, all_ in by_kind.items()
                for some, correct in self._portions(kind, all_)
            )
        )
        return [drift for some in tried for drift in some]

    def _portions(self, kind: Kind, drifts: Sequence[Drift]) -> list[tuple[Sequence[Drift], _Correct]]:
        if kind in self._together:
            return [(drifts, self._together[kind])]

        async def correct(some: Sequence[Drift]) -> list[DriftCorrection]:
            corrected = await self._singly[kind](some[0])
            return [corrected] if corrected else []

        return [([drift], correct) for drift in drifts]

    async def _try(self, drifts: Sequence[Drift], correct: _Correct) -> Sequence[Drift]:
        """The differences once they are corrected and recorded; none if that failed."""
        try:
            await self._ledger.record(await correct(drifts))
        except AppError as error:
            room, kind = drifts[0].session_id, drifts[0].kind
            log.warning("drift.not_repaired", session_id=room, kind=kind, error=error.message)
            return []
        return drifts

    async def _open(self, drifts: Sequence[Drift]) -> list[DriftCorrection]:
        connections = [_connection(drift) for drift in drifts]
        await self._connections.appear(drifts[0].session_id, drifts[0].room_sid, connections)
        return [
            DriftCorrection(drift, f"counted since it joined at {one.joined_at.isoformat()}")
            for drift, one in zip(drifts, connections, strict=True)
        ]

    async def _close(self, drifts: Sequence[Drift]) -> list[DriftCorrection]:
        gone = {
            connection.participant_sid: drift.last_seen_at or connection.joined_at
            for drift, connection in ((one, _connection(one)) for one in drifts)
        }
        await self._connections.presume_gone(gone)
        return [
            DriftCorrection(drift, f"counted as gone since it was last seen alive at {at.isoformat()}")
            for drift, at in zip(drifts, gone.values(), strict=True)
        ]

    async def _drop(self, drift: Drift) -> DriftCorrection | None:
        identity = _connection(drift).identity
        if await self._livekit.has_participant(drift.session_id, identity):
            return None  # Its person reconnected meanwhile.
        self._lease.require()
        await self._livekit.remove_stale_participant(drift.session_id, identity)
        return DriftCorrection(drift, "taken off LiveKit's list")

    async def _enforce_permissions(self, drift: Drift) -> DriftCorrection | None:
        known = await self._sessions.ask(drift.session_id)
        if known is None or not known.live or drift.permissions is None:
            return None
        connection = _connection(drift)
        needed = permission_drift(known.state, connection, drift.permissions, self._is_revoked)
        if needed is None:
            return None
        if needed.kind in {Kind.BANNED, Kind.REVOKED}:
            found = await self._livekit.remove_participant(drift.session_id, connection.identity)
            return DriftCorrection(needed, REMOVED_FROM_ROOM) if found else None
        expected = expected_permissions_of(known.state, connection)
        if expected is None:
            return None
        role = role_of(known.state, connection.user_id)
        found = await self._livekit.update_participant(drift.session_id, connection.identity, expected, role)
        return DriftCorrection(needed, "permissions set as believed") if found else None

    async def _lose(self, drift: Drift) -> DriftCorrection | None:
        known = await self._sessions.ask(drift.session_id)
        if known is None or not known.live:
            return None
        now = self._clock.now()
        last_seen_at = drift.last_seen_at or known.state.started_at or now
        self._lease.require()
        await self._rosters.publish(drift.session_id, now, lambda roster: roster.lose(now, last_seen_at))
        return DriftCorrection(drift, "session ended as of when it was last seen alive")

    async def _report_missing(self, drift: Drift) -> DriftCorrection | None:
        """The session service opens it again."""
        known = await self._sessions.ask(drift.session_id)
        if known is None or not known.pending:
            return None
        now = self._clock.now()
        self._lease.require()
        await self._rosters.publish(drift.session_id, now, lambda roster: roster.lose(now, now))
        return DriftCorrection(drift, "reported missing", estimated=False)

    async def _delete_room(self, drift: Drift) -> DriftCorrection | None:
        known = await self._sessions.ask(drift.session_id)
        if known is not None and (known.live or known.pending):
            return None
        self._lease.require()
        await self._livekit.delete_room(drift.session_id)
        return DriftCorrection(drift, "room closed")


def _connection(drift: Drift) -> Connection:
    if drift.connection is None:
        raise ValueError(f"a {drift.kind} is about a connection")
    return drift.connection
