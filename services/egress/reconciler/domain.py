"""A room as LiveKit shows it at one moment, and the connections expected in it."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.livekit_events import Connection
from shared.livekit.ports import LiveKitTrack, Permissions


@dataclass(frozen=True)
class ListedParticipant:
    """A participant as LiveKit lists it. `stale_since`: since then no server has had it."""

    connection: Connection
    permissions: Permissions
    active: bool
    stale_since: datetime | None = None
    tracks: tuple[LiveKitTrack, ...] = ()

    @property
    def stale(self) -> bool:
        return self.stale_since is not None


@dataclass(frozen=True)
class RoomSnapshot:
    """What LiveKit showed of a room at `observed_at`.

    `room_sid` is LiveKit's id of the room, None if it lists none of this name. `silent_since`: since then no
    server has answered for it; None while one runs it. `uncertain`: what seems gone has not been so for long
    enough, or not everybody who seems connected has answered.
    """

    room: str
    observed_at: datetime
    room_sid: str | None
    silent_since: datetime | None
    participants: tuple[ListedParticipant, ...] = ()
    uncertain: bool = False

    @property
    def running(self) -> bool:
        """Whether a server runs the room."""
        return self.silent_since is None

    @property
    def connected(self) -> tuple[ListedParticipant, ...]:
        """The participants that are not stale."""
        return tuple(one for one in self.participants if not one.stale)


@dataclass(frozen=True)
class ExpectedConnection:
    """`left_at` is LiveKit's word; `presumed_left_at` ours, of a connection that was found gone.

    `room_sid` is LiveKit's id of the room it is in. `connection` is loaded only if it may have to be
    corrected: for hardly anybody in a room of ten thousand.
    """

    joined_at: datetime
    room_sid: str | None
    left_at: datetime | None = None
    presumed_left_at: datetime | None = None
    connection: Connection | None = None

    @property
    def is_open(self) -> bool:
        return self.left_at is None and self.presumed_left_at is None

    @property
    def presumed_gone(self) -> bool:
        return self.left_at is None and self.presumed_left_at is not None
