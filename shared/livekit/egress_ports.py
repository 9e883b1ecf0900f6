"""The port to LiveKit's egress API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.egress.engine import EncodingOptions


@dataclass(frozen=True, kw_only=True)
class S3Output:
    """A bucket that egress workers upload to, with their credentials."""

    bucket: str
    region: str = ""
    endpoint: str = ""
    access_key: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class RoomCompositeOrder:
    """A room's video and audio, as segments, as a file, or as both.

    `segments_prefix` and `file_path` are where the worker writes to: paths in the bucket of `s3`, or in its
    own file system.
    """

    room: str
    encoding: EncodingOptions
    segments_prefix: str | None
    file_path: str | None
    playlist_name: str
    live_playlist_name: str
    s3: S3Output | None


@dataclass(frozen=True, kw_only=True)
class LiveKitEgress:
    """An egress as LiveKit lists it; `status` in lower case (starting …), `paths` where it writes to."""

    egress_id: str
    room: str
    status: str
    error: str
    paths: Sequence[str]
    started_at: datetime | None
    ended_at: datetime | None


class LiveKitEgressApi(Protocol):
    """LiveKit's egress API. Every call has a deadline; errors are those of the `LiveKit` port."""

    async def start_room_composite(self, order: RoomCompositeOrder) -> str:
        """Begin; the id of the egress. `Unavailable` leaves open whether it began."""
        ...

    async def stop_egress(self, egress_id: str) -> None:
        """End it; does nothing if it has ended or does not exist."""
        ...

    async def list_egresses(self, room: str) -> list[LiveKitEgress]:
        """The egresses of the room; ended ones are listed for a while."""
        ...

    async def list_active_egresses(self) -> list[LiveKitEgress]:
        """The running egresses of all rooms."""
        ...
