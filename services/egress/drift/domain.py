"""Drift: what differs, for how long it is tolerated, and its entry in the ledger once it is corrected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.event import Event
from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import DriftRepaired
from shared.livekit.ports import LiveKitTrack, Permissions


class Kind(StrEnum):
    """The kind of difference."""

    MISSED_JOIN = "missed_join"
    MISSED_LEAVE = "missed_leave"
    STALE_PARTICIPANT = "ghost"
    PERMISSION = "permission"
    TRACK = "track"
    BANNED = "banned"
    REVOKED = "revoked"
    ROOM_LOST = "room_lost"
    ROOM_LEFTOVER = "room_leftover"
    PENDING_ROOM = "pending_room"
    EGRESS = "egress"
    EGRESS_LEFTOVER = "egress_leftover"
    INGRESS = "ingress"
    INGRESS_LOST = "ingress_lost"
    INGRESS_LEFTOVER = "ingress_leftover"
    INGRESS_REVOKED = "ingress_revoked"
    INGRESS_ROOM = "ingress_room"
    STREAM = "stream"
    RECORDING = "recording"


# How long a difference must last before it is corrected: its event may be on the way. Stale participants and
# lost rooms count from the first silence: whoever was disconnected by a server's death reconnects within some
# 8 s of its return, and removing their stale participant by then would keep them out.
GRACE_PERIOD: Mapping[Kind, timedelta] = {
    Kind.MISSED_JOIN: timedelta(seconds=2),
    Kind.MISSED_LEAVE: timedelta(seconds=2),
    Kind.STALE_PARTICIPANT: timedelta(seconds=9),
    Kind.PERMISSION: timedelta(seconds=2),
    Kind.TRACK: timedelta(seconds=2),
    Kind.BANNED: timedelta(0),
    Kind.REVOKED: timedelta(0),
    Kind.ROOM_LOST: timedelta(seconds=10),
    Kind.ROOM_LEFTOVER: timedelta(seconds=5),
    Kind.PENDING_ROOM: timedelta(seconds=2),
    Kind.EGRESS: timedelta(seconds=2),
    Kind.EGRESS_LEFTOVER: timedelta(seconds=10),
    # Our own ingresses count as publishing for 10 s after they were last seen to.
    Kind.INGRESS: timedelta(seconds=12),
    Kind.INGRESS_LOST: timedelta(seconds=10),
    Kind.INGRESS_LEFTOVER: timedelta(seconds=10),
    Kind.INGRESS_REVOKED: timedelta(0),
    Kind.INGRESS_ROOM: timedelta(seconds=2),
    Kind.STREAM: timedelta(seconds=10),
    Kind.RECORDING: timedelta(seconds=10),
}


@dataclass(frozen=True)
class Drift:
    """A difference between what is expected and what LiveKit shows.

    `room_sid` is LiveKit's id of the room, `last_seen_at` when what is gone was last seen alive, `since` when
    the difference began, if known, `permissions` what a connection is able to do, `tracks` what it publishes
    and may not, `subject_id` the id of the egress, ingress or recording concerned.
    """

    kind: Kind
    session_id: str
    expected: str
    observed: str
    connection: Connection | None = None
    room_sid: str | None = None
    last_seen_at: datetime | None = None
    since: datetime | None = None
    permissions: Permissions | None = None
    tracks: tuple[LiveKitTrack, ...] = ()
    subject_id: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Identifies the difference as long as it lasts."""
        subject = self.connection.participant_sid if self.connection else self.subject_id
        return self.kind, self.session_id, subject


@dataclass(frozen=True)
class DriftCorrection:
    """A difference, as found when it was corrected, and the action taken.

    `estimated`: times that follow from it are not exact.
    """

    drift: Drift
    action: str
    estimated: bool = True


@dataclass(frozen=True)
class DriftParticipant:
    """The participant of an entry about a connection."""

    sid: str
    identity: str
    user_id: str
    username: str


@dataclass(kw_only=True)
class DriftEntry:
    """`at` is when it was corrected, `last_seen_at` when what is gone was last seen alive.

    `estimated`: times that follow from the correction are not exact.
    """

    id: str
    version: int = 1
    at: datetime
    session_id: str
    kind: str
    participant: DriftParticipant | None = None
    believed: str
    observed: str
    action: str
    last_seen_at: datetime | None = None
    estimated: bool = True

    @classmethod
    def of(cls, correction: DriftCorrection, id_: str, now: datetime) -> "DriftEntry":
        drift, one = correction.drift, correction.drift.connection
        return cls(
            id=id_,
            at=now,
            session_id=drift.session_id,
            kind=drift.kind.value,
            participant=DriftParticipant(one.participant_sid, one.identity, one.user_id, one.username)
            if one
            else None,
            believed=drift.expected,
            observed=drift.observed,
            action=correction.action,
            last_seen_at=drift.last_seen_at,
            estimated=correction.estimated,
        )

    def corrected(self) -> Sequence[Event]:
        who = self.participant
        return [
            DriftRepaired(
                session_id=self.session_id,
                drift_id=self.id,
                repaired_at=self.at,
                kind=self.kind,
                participant_sid=who.sid if who else None,
                identity=who.identity if who else None,
                user_id=who.user_id if who else None,
                username=who.username if who else None,
                believed=self.believed,
                observed=self.observed,
                action=self.action,
                last_seen_at=self.last_seen_at,
                estimated=self.estimated,
            )
        ]
