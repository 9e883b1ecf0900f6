"""Where everybody is in the picture: a grid, or a shared screen with tiles beside it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from services.recorder.media.video_feed import VideoFeed

# More are heard but not seen: see `SpeakerSelection`.
MAX_TILES = 9
_ASPECT = 16 / 9


@dataclass(frozen=True)
class Box:
    """A part of the picture in pixels; all even, for the colour planes have half of them."""

    left: int
    top: int
    width: int
    height: int


def grid(count: int, width: int, height: int) -> list[Box]:
    """As large as 16:9 boxes can be, row by row, each row in the middle.

    Without space between them, so that four in 1280x720 are 640x360 each, which is how cameras send them.
    """
    if count <= 0:
        return []
    # If two ways are equally good, side by side rather than one above the other.
    columns = max(
        range(1, count + 1), key=lambda columns: (_box_width(columns, count, width, height), columns)
    )
    wide = _below(_box_width(columns, count, width, height))
    high = min(_near(wide / _ASPECT), _below(height / ceil(count / columns)))
    return list(_rows(count, columns, (wide, high), (width, height)))


def _box_width(columns: int, count: int, width: int, height: int) -> float:
    return min(width / columns, height / ceil(count / columns) * _ASPECT)


def _rows(count: int, columns: int, box: tuple[int, int], whole: tuple[int, int]) -> Iterator[Box]:
    rows = ceil(count / columns)
    top = _below((whole[1] - rows * box[1]) / 2)
    for row in range(rows):
        here = min(columns, count - row * columns)
        left = _below((whole[0] - here * box[0]) / 2)
        for column in range(here):
            yield Box(left + column * box[0], top + row * box[1], *box)


def beside_screen(participants: int, width: int, height: int) -> tuple[Box, list[Box]]:
    """The screen's box, and those of the participants: down the right side, then along the bottom."""
    if participants <= 0:
        return Box(0, 0, width, height), []
    wide, high = _below(width / 5), _below(height / 5)
    large = width - wide
    side = [Box(large, row * high, wide, high) for row in range(min(participants, 5))]
    bottom = min(participants, MAX_TILES) - len(side)
    below = [Box(column * wide, height - high, wide, high) for column in range(bottom)]
    return Box(0, 0, large, height - high if below else height), side + below


def fitted(width: int, height: int, box: Box) -> Box:
    """Where in the box a picture of this size is shown whole."""
    share = min(box.width / width, box.height / height)
    wide, high = max(2, _near(width * share)), max(2, _near(height * share))
    wide, high = min(wide, box.width), min(high, box.height)
    return Box(
        _below(box.left + (box.width - wide) / 2), _below(box.top + (box.height - high) / 2), wide, high
    )


def covering(width: int, height: int, box: Box) -> Box:
    """The part of a picture of this size that fills the box."""
    share = min(width / box.width, height / box.height)
    wide, high = max(2, _below(box.width * share + 1)), max(2, _below(box.height * share + 1))
    wide, high = min(wide, _below(width)), min(high, _below(height))
    return Box(_below((width - wide) / 2), _below((height - high) / 2), wide, high)


def _below(value: float) -> int:
    """The next even number from below."""
    return int(value) // 2 * 2


def _near(value: float) -> int:
    return round(value / 2) * 2


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
    """The tiles for everybody on stage, in the order given; the first shared screen is shown large."""
    sharing = next((one for one in participants if one.screen is not None), None)
    if sharing is None:
        shown = participants[:MAX_TILES]
        return _tiles(shown, grid(len(shown), width, height))
    shown = [one for one in participants if one.camera is not None or one is not sharing][:MAX_TILES]
    large, boxes = beside_screen(len(shown), width, height)
    return (Tile(large, sharing.name, sharing.screen, whole=True), *_tiles(shown, boxes))


def _tiles(participants: Sequence[StageParticipant], boxes: Sequence[Box]) -> tuple[Tile, ...]:
    return tuple(Tile(box, one.name, one.camera) for one, box in zip(participants, boxes, strict=True))
