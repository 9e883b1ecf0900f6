"""What is to be seen: who is where in the picture, and which track shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.recorder.media.layout import MAX_TILES, Box, beside_screen, grid
from services.recorder.media.video_feed import VideoFeed


@dataclass(frozen=True)
class StageParticipant:
    """Somebody on stage; `camera` is None while it is off."""

    identity: str
    name: str
    camera: VideoFeed | None
    screen: VideoFeed | None = None
    is_host: bool = False


@dataclass(frozen=True)
class Tile:
    """One box of the picture. A `whole` video is shown uncropped, others may be cropped."""

    box: Box
    name: str
    feed: VideoFeed | None
    whole: bool = False


def scene(participants: Sequence[StageParticipant], width: int, height: int) -> tuple[Tile, ...]:
    """The tiles of everybody on stage, in the order given; the first shared screen is shown large."""
    sharing = next((one for one in participants if one.screen is not None), None)
    if sharing is None:
        shown = participants[:MAX_TILES]
        return _tiles(shown, grid(len(shown), width, height))
    shown = [one for one in participants if one.camera is not None or one is not sharing][:MAX_TILES]
    large, boxes = beside_screen(len(shown), width, height)
    return (Tile(large, sharing.name, sharing.screen, whole=True), *_tiles(shown, boxes))


def _tiles(participants: Sequence[StageParticipant], boxes: Sequence[Box]) -> tuple[Tile, ...]:
    return tuple(Tile(box, one.name, one.camera) for one, box in zip(participants, boxes, strict=True))
