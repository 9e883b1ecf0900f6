"""What services see of LiveKit's egress API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class S3Output:
    """A bucket that egress workers upload to; the secret is theirs to use."""

    bucket: str
    region: str = ""
    endpoint: str = ""
    access_key: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class RoomCompositeOrder:
    """A room's picture and sound, as segments, as a file, or as both.

    `segments_prefix` and `file_path` are where the worker writes to: paths in the bucket of `s3`, or in its
    own file system. Sizes in pixels, bit rates in kbit/s, a segment in seconds.
    """

    room: str
    layout: str
    width: int
    height: int
    frame_rate: int
    video_kbps: int
    audio_kbps: int
    segment_seconds: int
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
        """End it; one that has ended, or that there is not, is fine."""
        ...

    async def list_egresses(self, room: str) -> list[LiveKitEgress]:
        """Those of the room, ended ones too for a while."""
        ...

    async def list_active_egresses(self) -> list[LiveKitEgress]:
        """Those of all rooms that are not over."""
        ...
