"""Where everybody is in the picture: a grid, one shown large with tiles beside it, or one alone. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from services.recorder.media.video_feed import VideoFeed
from shared.access.room_permissions import user_of
from shared.contracts.states import Layout, VideoFit

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


def beside_large(participants: int, width: int, height: int) -> tuple[Box, list[Box]]:
    """The large box, and those of the participants: down the right side, then along the bottom."""
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
class SharedScreen:
    """`number` grows from one to the next."""

    feed: VideoFeed
    number: int


@dataclass(frozen=True)
class StageParticipant:
    """Somebody on stage, or an encoder; `cameras` is empty while all are off."""

    identity: str
    name: str
    cameras: tuple[VideoFeed, ...] = ()
    screens: tuple[SharedScreen, ...] = ()
    is_host: bool = False
    is_encoder: bool = False

    @property
    def boxes(self) -> int:
        """How many it is to have: for its screens, and one for itself, unless it only shares."""
        return len(self.screens) + (1 if self.cameras or not self.screens else 0)


@dataclass(frozen=True)
class Tile:
    """One box of the picture, with a name and a video, None for initials instead.

    A `whole` video is shown uncropped, others may be cropped. A `still` one is shown even if its last frame
    is old: a shared screen may not change for long.
    """

    box: Box
    name: str
    feed: VideoFeed | None
    whole: bool = False
    still: bool = False


_NOWHERE = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class Picture:
    """What the picture is to be like: pixels, the layout, and how cameras beside others are shown."""

    width: int
    height: int
    fit: VideoFit = VideoFit.FILL
    layout: Layout = Layout.GRID


def scene(
    participants: Sequence[StageParticipant], picture: Picture, speaker: str | None = None
) -> tuple[Tile, ...]:
    """The tiles for everybody on stage, in the order given.

    The newest shared screen is shown large, or, if the layout says so, the `speaker` (an identity; the first
    participant if that is not on stage), with the others beside or alone. Screens, encoders, who is shown
    large and a sole presenter's cameras are shown whole, those of several people as `fit` says.
    """
    width, height, fit = picture.width, picture.height, picture.fit
    if len({user_of(one.identity) for one in participants if one.cameras}) == 1:
        fit = VideoFit.FIT
    screens = _screens(participants)
    if not participants or (not screens and picture.layout is Layout.GRID):
        cameras = _cameras(participants, MAX_TILES, fit)
        return _placed(cameras, grid(len(cameras), width, height))
    if screens:
        large, *others = screens[: MAX_TILES + 1]
        people = [one for one in participants if one.cameras or not one.screens]
    else:
        (large, people), others = _speaker_first(participants, speaker), []
    if picture.layout is Layout.SINGLE_SPEAKER:
        return _placed([large], [Box(0, 0, width, height)])
    beside = [*others, *_cameras(people, MAX_TILES - len(others), fit)]
    box, boxes = beside_large(len(beside), width, height)
    return _placed([large, *beside], [box, *boxes])


def _speaker_first(
    participants: Sequence[StageParticipant], speaker: str | None
) -> tuple[Tile, list[StageParticipant]]:
    """The speaker's tile, and who is left: among them the speaker's other cameras."""
    shown = next((one for one in participants if one.identity == speaker), participants[0])
    [large] = _cameras([shown], 1, VideoFit.FIT)
    rest = replace(shown, cameras=shown.cameras[1:])
    people = [rest if one is shown else one for one in participants if one is not shown or rest.cameras]
    return large, people


def _screens(participants: Sequence[StageParticipant]) -> list[Tile]:
    """The newest first."""
    shared = [(one.name, screen) for one in participants for screen in one.screens]
    shared.sort(key=lambda found: found[1].number, reverse=True)
    return [Tile(_NOWHERE, name, screen.feed, whole=True, still=True) for name, screen in shared]


def _cameras(participants: Sequence[StageParticipant], at_most: int, fit: VideoFit) -> list[Tile]:
    """One of everybody, and more of who has more while there is room."""
    shown = participants[:at_most]
    spare = at_most - len(shown)
    tiles: list[Tile] = []
    for one in shown:
        feeds: tuple[VideoFeed | None, ...] = one.cameras[: 1 + spare] or (None,)
        spare -= len(feeds) - 1
        whole = one.is_encoder or fit is VideoFit.FIT
        tiles += [Tile(_NOWHERE, one.name, feed, whole=whole) for feed in feeds]
    return tiles


def _placed(tiles: Sequence[Tile], boxes: Sequence[Box]) -> tuple[Tile, ...]:
    return tuple(replace(tile, box=box) for tile, box in zip(tiles, boxes, strict=True))
