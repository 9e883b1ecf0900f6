"""Ending tracks that carry something else than their source says."""

from collections.abc import Set
from dataclasses import replace
from typing import Final

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.drift.service import DriftLedger
from services.egress.reconciler.permission_drift import expected_permissions_of, track_drift
from services.egress.sessions.projection import EgressSessionProjection
from shared.access.permissions import role_of
from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import REMOVED_FROM_ROOM
from shared.contracts.states import SessionState
from shared.livekit import LiveKit, Permissions

# Whose false tracks were ended this often in a session has to leave, and again with each further one.
TOLERATED: Final = 2
_ENDED: Final = "tracks ended"


class TrackEnforcer:
    """LiveKit cannot be told to end a track, and whoever was muted may unmute themselves.

    But it ends the tracks of a source that is no longer permitted: so the source is withdrawn, with all
    tracks that claim it, and permitted again to those who may publish it.
    """

    def __init__(self, livekit: LiveKit, sessions: EgressSessionProjection, ledger: DriftLedger):
        self._livekit = livekit
        self._sessions = sessions
        self._ledger = ledger

    async def end_tracks(self, drift: Drift) -> DriftCorrection | None:
        """End the drift's tracks; None if they are no drift. Raises `Unavailable`.

        They count against their publisher also if they ended by themselves, since they were published.
        """
        known = await self._sessions.ask(drift.session_id)
        if known is None or not known.live or drift.connection is None:
            return None
        connection, needed = drift.connection, track_drift(known.state, drift.connection, drift.tracks)
        if needed is None:
            return None
        expected = expected_permissions_of(known.state, connection)
        if expected is None or await self._was_tolerated(connection, drift.session_id):
            await self._livekit.remove_participant(drift.session_id, connection.identity)
            return DriftCorrection(needed, REMOVED_FROM_ROOM)
        without = _without(expected, {track.source for track in needed.tracks})
        if await self._livekit.update_participant(drift.session_id, connection.identity, without):
            await self._restore(known.state, connection)
        return DriftCorrection(needed, _ENDED)

    async def _was_tolerated(self, connection: Connection, session_id: str) -> bool:
        """Whether it was often enough; rejoining does not help.

        Encoders of the same person count for nothing: they are removed with their first false track.
        """
        count = await self._ledger.count(
            session_id, Kind.TRACK, connection.user_id, action=_ENDED, most=TOLERATED
        )
        return count >= TOLERATED

    async def _restore(self, session: SessionState, connection: Connection) -> None:
        """Permit what the session permits by now, which may have changed meanwhile."""
        known = await self._sessions.ask(session.id)
        now = known.state if known else session
        expected = expected_permissions_of(now, connection)
        if expected is not None:
            role = role_of(now, connection.user_id)
            await self._livekit.update_participant(session.id, connection.identity, expected, role)


def _without(permissions: Permissions, sources: Set[str]) -> Permissions:
    allowed = permissions.can_publish_sources or ()
    return replace(
        permissions, can_publish_sources=tuple(source for source in allowed if source not in sources)
    )
