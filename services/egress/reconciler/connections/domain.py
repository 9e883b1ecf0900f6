"""A connection we believe in: what LiveKit's webhooks told of it, or a repair."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.livekit_events import Connection


@dataclass(frozen=True)
class Believed:
    """`left_at` is LiveKit's word; `presumed_left_at` ours, for a connection that was there no more.

    `room_sid` is the room it is in, as LiveKit opened it once. `connection` is there where it may have
    to be repaired: of those in a room of ten thousand hardly any.
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
