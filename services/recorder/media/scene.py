"""What is to be seen: who is where in the picture, and which track shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.recorder.media.layout import MOST, Box, beside_screen, grid
from services.recorder.media.video_feed import VideoFeed


@dataclass(frozen=True)
class StageParticipant:
    """Somebody on stage; `camera` is None while it is off. `hosts`: the session is theirs."""

    identity: str
    name: str
    camera: VideoFeed | None
    screen: VideoFeed | None = None
    hosts: bool = False


@dataclass(frozen=True)
class Tile:
    """One box of the picture. A `whole` picture is shown with all its edges, others may lose some."""

    box: Box
    name: str
    feed: VideoFeed | None
    whole: bool = False


def scene(people: Sequence[StageParticipant], width: int, height: int) -> tuple[Tile, ...]:
    """The tiles of everybody on stage, in the order given; the first shared screen is shown large."""
    sharing = next((person for person in people if person.screen is not None), None)
    if sharing is None:
        shown = people[:MOST]
        boxes = grid(len(shown), width, height)
        return _tiles(shown, boxes)
    with_people = [person for person in people if person.camera is not None or person is not sharing][:MOST]
    large, boxes = beside_screen(len(with_people), width, height)
    return (Tile(large, sharing.name, sharing.screen, whole=True), *_tiles(with_people, boxes))


def _tiles(people: Sequence[StageParticipant], boxes: Sequence[Box]) -> tuple[Tile, ...]:
    return tuple(Tile(box, person.name, person.camera) for person, box in zip(people, boxes, strict=True))
