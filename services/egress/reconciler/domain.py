"""The reconciler's words: a look at a room, a difference to what we believe, and how long it is borne."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.livekit_events import Connection
from shared.livekit.ports import Permissions


class Kind(StrEnum):
    """What differed."""

    MISSED_JOIN = "missed_join"
    MISSED_LEAVE = "missed_leave"
    GHOST = "ghost"
    PERMISSION = "permission"
    BANNED = "banned"
    ROOM_LOST = "room_lost"
    ROOM_LEFTOVER = "room_leftover"
    EGRESS = "egress"
    EGRESS_LEFTOVER = "egress_leftover"
    INGRESS = "ingress"
    INGRESS_LOST = "ingress_lost"
    INGRESS_LEFTOVER = "ingress_leftover"
    STREAM = "stream"
    RECORDING = "recording"


# How long a difference must last before it is repaired: the news of it may be on its way. Ghosts and lost
# rooms count from the first silence: whoever was thrown out by a server's death comes back within some 8 s
# of its return, and disconnecting them as a ghost of theirs would keep them out.
PATIENCE: Mapping[Kind, timedelta] = {
    Kind.MISSED_JOIN: timedelta(seconds=2),
    Kind.MISSED_LEAVE: timedelta(seconds=2),
    Kind.GHOST: timedelta(seconds=9),
    Kind.PERMISSION: timedelta(seconds=2),
    Kind.BANNED: timedelta(0),
    Kind.ROOM_LOST: timedelta(seconds=10),
    Kind.ROOM_LEFTOVER: timedelta(seconds=5),
    Kind.EGRESS: timedelta(seconds=2),
    Kind.EGRESS_LEFTOVER: timedelta(seconds=10),
    # Our own ingresses are thought to publish for 10 s after the last sign of it.
    Kind.INGRESS: timedelta(seconds=12),
    Kind.INGRESS_LOST: timedelta(seconds=10),
    Kind.INGRESS_LEFTOVER: timedelta(seconds=10),
    Kind.STREAM: timedelta(seconds=10),
    Kind.RECORDING: timedelta(seconds=10),
}


@dataclass(frozen=True)
class Present:
    """A participant as LiveKit lists it. `dead_since`: a ghost, no server has had it since then."""

    connection: Connection
    permissions: Permissions
    active: bool
    dead_since: datetime | None = None

    @property
    def dead(self) -> bool:
        return self.dead_since is not None


@dataclass(frozen=True)
class Look:
    """What LiveKit said of a room at `observed_at`.

    `room_sid` is LiveKit's id of the room, None where it lists none of this name. `silent_since`: since then
    no server has answered for it; None while one has it. `unsure`: what seems dead here has not been so for
    long enough to believe it, or not all of what seems alive has proved it.
    """

    room: str
    observed_at: datetime
    room_sid: str | None
    silent_since: datetime | None
    present: tuple[Present, ...] = ()
    unsure: bool = False

    @property
    def run(self) -> bool:
        """Whether a server has the room."""
        return self.silent_since is None

    @property
    def there(self) -> tuple[Present, ...]:
        """Those who are really there."""
        return tuple(one for one in self.present if not one.dead)


@dataclass(frozen=True)
class Repair:
    """A difference and what there is to say of it.

    `room_sid` is LiveKit's id of the room, `last_seen_at` the last proof of life of what is gone, `since`
    when the difference began where that is known, `permissions` what a connection really may do, `thing` the
    id of the egress, ingress or recording that it is about.
    """

    kind: Kind
    session_id: str
    believed: str
    observed: str
    connection: Connection | None = None
    room_sid: str | None = None
    last_seen_at: datetime | None = None
    since: datetime | None = None
    permissions: Permissions | None = None
    thing: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Which difference it is: the same while it lasts."""
        return (
            self.kind,
            self.session_id,
            self.connection.participant_sid if self.connection else self.thing,
        )


@dataclass(frozen=True)
class Done:
    """A repair as it was found to be needed at the last moment, and what was done about it.

    `estimated`: times that follow from it are not exact.
    """

    repair: Repair
    action: str
    estimated: bool = True
