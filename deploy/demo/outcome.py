"""What a demo found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.demo.recording import Recorded
from deploy.demo.report import Row, agree
from deploy.demo.stream import Played


@dataclass(frozen=True)
class Media:
    """Of all viewers: frames received, seconds from going live to the first, milliseconds a picture took."""

    frames: int
    first_frame_seconds: float
    delay_milliseconds: int


@dataclass(frozen=True)
class Place:
    """The ids of what the host made."""

    room_id: str
    preset_id: str
    session_id: str


@dataclass(frozen=True)
class Outcome:
    place: Place
    media: Media
    rows: Sequence[Row]
    played: Played | None
    recording: Recorded

    @property
    def agrees(self) -> bool:
        return agree(self.rows)
