"""What the reconciler finds by asking LiveKit: who is in a room, and what it corrected."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict

from shared.contracts.event import Event
from shared.contracts.livekit_events import Connection

# LiveKit's clock, which reports joining, is not the observer's.
SKEW = timedelta(seconds=2)


def departures(
    joined_at: Mapping[str, datetime],
    listed: Collection[str],
    last_seen: Mapping[str, datetime],
    observed_at: datetime,
) -> dict[str, datetime]:
    """Which of a room's open connections had left by `observed_at`, by sid, and when each was last there.

    `joined_at` are the open connections to the room, `listed` those that LiveKit listed then. A list says
    nothing of who joined after it; one that was never seen was there at the moment it joined.
    """
    return {
        sid: max(joined, last_seen.get(sid, joined))
        for sid, joined in joined_at.items()
        if sid not in listed and joined < observed_at - SKEW
    }


class ReconcilerEvent(Event):
    """Base: `session_id` is the LiveKit room's name."""

    session_id: str

    @property
    def key(self) -> str:
        return self.session_id


class RosterConnection(Connection):
    """A connection that LiveKit lists; `role` is that of the session, not of the join token.

    It is not `active` while it is still being established.
    """

    active: bool = True


class Departure(BaseModel):
    """A connection that is no longer on the roster; `last_seen_at` is the time of the last roster with it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    participant_sid: str
    last_seen_at: datetime


class RosterObserved(ReconcilerEvent):
    """Who was in a session's room at `observed_at`: everybody, hidden monitors included.

    It says nothing about people who joined after `observed_at`, nor about connections to another room of that
    name than `room_sid`, LiveKit's id of one opening of the room. `departed` repeats the departures of the
    last ten minutes, so that a late or overtaken event does no harm.
    """

    name: ClassVar[str] = "roster.observed.v1"
    room_sid: str
    observed_at: datetime
    connections: tuple[RosterConnection, ...]
    departed: tuple[Departure, ...]

    def left(self, joined_at: Mapping[str, datetime]) -> dict[str, datetime]:
        """Which of the open connections to this room had left, by sid, and when each was last there."""
        listed = {one.participant_sid for one in self.connections}
        last_seen = {one.participant_sid: one.last_seen_at for one in self.departed}
        return departures(joined_at, listed, last_seen, self.observed_at)


class LiveKitRoomLost(ReconcilerEvent):
    """No LiveKit server runs the room of a live session any longer, and nobody rejoined it.

    Or there is no room of a session that waits for its first participant.

    `last_seen_at` is when a participant or the room was last seen.
    """

    name: ClassVar[str] = "livekit_room.lost.v1"
    observed_at: datetime
    last_seen_at: datetime


# The action of a `DriftRepaired` that disconnected somebody.
REMOVED_FROM_ROOM: Final = "taken out of the room"


class DriftRepaired(ReconcilerEvent):
    """LiveKit differed from the expected state, and it was corrected.

    `drift_id` is the entry's id in the drift ledger, `kind` one of missed_join, missed_leave, ghost,
    permission, track, banned, revoked, room_lost, room_leftover, pending_room, egress, egress_leftover,
    ingress, ingress_lost, ingress_leftover, ingress_revoked, ingress_room, stream, recording.
    `participant_sid` to `username` are null except for connections. `last_seen_at` is when what is gone was
    last seen. `estimated`: times derived from the correction are not exact.
    """

    name: ClassVar[str] = "drift.repaired.v1"
    drift_id: str
    repaired_at: datetime
    kind: str
    participant_sid: str | None
    identity: str | None
    user_id: str | None
    username: str | None
    believed: str
    observed: str
    action: str
    last_seen_at: datetime | None = None
    estimated: bool = True
