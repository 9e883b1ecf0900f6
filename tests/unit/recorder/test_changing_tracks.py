"""Tracks that change, pause, come late, leave and return: on the pipeline's timeline, driven by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from services.recorder.media.audio import CHANNELS, RATE, AudioFeed, Mixer
from services.recorder.media.compositor import Compositor
from services.recorder.media.frames import Canvas, I420Frame
from services.recorder.media.layout import Box, Picture, StageParticipant, fitted, scene
from services.recorder.media.pipeline import DELAY
from services.recorder.media.video_feed import STALE_SECONDS, VideoFeed

WIDTH, HEIGHT = 640, 360
START = 1000.0
ALONE, LEFT, RIGHT = Box(0, 0, WIDTH, HEIGHT), Box(0, 90, 320, 180), Box(320, 90, 320, 180)
BEHIND = 0.15  # Seconds by which a busy machine renders late.


def sent(
    feed: VideoFeed, luma: int, at: float, size: tuple[int, int] = (640, 360), quarters: int = 0
) -> None:
    """A frame, plain but for its upper left corner as the viewer is to see it, arrives 50 ms after `at`."""
    frame = I420Frame.plain(*size, luma)
    frame.y[: size[1] // 4, : size[0] // 4] = 235
    lying = I420Frame(*(np.rot90(plane, quarters) for plane in frame))
    feed.push(lying.rotated(quarters), at, START + at + 0.05)


def middle(picture: I420Frame, box: Box) -> int:
    return int(picture.y[box.top + box.height // 2, box.left + box.width // 2])


class Screen:
    """What is shown of these feeds, one for each person."""

    def __init__(self, *feeds: VideoFeed):
        self._canvas = Canvas(WIDTH, HEIGHT)
        self._compositor = Compositor(self._canvas)
        self.show(*feeds)

    def show(self, *feeds: VideoFeed | None) -> None:
        people = [
            StageParticipant(str(number), "", cameras=() if feed is None else (feed,))
            for number, feed in enumerate(feeds)
        ]
        self._tiles = scene(people, Picture(WIDTH, HEIGHT))

    def at(self, moment: float) -> I420Frame:
        self._compositor.draw(self._tiles, START + moment + 0.05)
        return self._canvas.planes


@pytest.mark.parametrize("rate", [1, 15, 30, 60, 120])
@pytest.mark.parametrize("behind", [0.0, BEHIND])
def test_a_camera_of_any_rate_is_seen_in_motion(rate: int, behind: float) -> None:
    feed = VideoFeed()
    screen = Screen(feed)
    shown = set()
    for n in range(2 * rate):
        sent(feed, 20 + n * 200 // (2 * rate), n / rate)
        shown.add(middle(screen.at(n / rate - DELAY - behind), ALONE))
    assert len(shown) > min(rate, 30) // 2


def test_a_camera_that_changes_its_rate_goes_on() -> None:
    feed = VideoFeed()
    screen = Screen(feed)
    at = 0.0
    for number, rate in enumerate([30, 60, 5, 60, 30]):
        for _ in range(2 * rate):
            at += 1 / rate
            sent(feed, 30 * (number + 1), at)
            picture = screen.at(at - DELAY)
        assert middle(picture, ALONE) == 30 * (number + 1)


@pytest.mark.parametrize("beside", [False, True])
def test_a_camera_that_changes_size_and_is_turned_is_upright_and_leaves_no_rest(beside: bool) -> None:
    feed, other = VideoFeed(), VideoFeed()
    screen, box = (Screen(feed, other), LEFT) if beside else (Screen(feed), ALONE)
    changes = [((640, 360), 0), ((360, 640), 1), ((360, 640), 3), ((641, 361), 2), ((160, 120), 0)]
    for number, (size, quarters) in enumerate(changes):
        luma = 40 * (number + 1)
        sent(feed, luma, float(number), size, quarters)
        sent(other, 99, float(number))
        picture = screen.at(float(number))
        assert middle(picture, box) == luma
        whole = not beside or size[1] > size[0]
        where = fitted(*size, box) if whole else box
        inset = 4
        assert picture.y[where.top + inset, where.left + inset] > 225
        assert picture.y[where.top + where.height - inset, where.left + where.width - inset] == luma
        within = picture.y[box.top : box.top + box.height, box.left : box.left + box.width]
        assert set(np.unique(within[-1])) <= {16, luma}
        assert not beside or middle(picture, RIGHT) == 99


def test_a_camera_that_leaves_and_returns_is_seen_again() -> None:
    first, again, other = VideoFeed(), VideoFeed(), VideoFeed()
    screen = Screen(first, other)
    sent(first, 100, 0.0)
    sent(other, 99, 0.0)
    assert middle(screen.at(0.0), LEFT) == 100
    screen.show(None, other)
    assert middle(screen.at(1.0), RIGHT) == 99
    screen.show(again, other)
    sent(again, 150, 2.0, size=(160, 120))
    sent(other, 98, 2.0)
    assert (middle(screen.at(2.0), LEFT), middle(screen.at(2.0), RIGHT)) == (150, 98)


@pytest.mark.parametrize("restart", [0.0, 7.0, 5000.0])
def test_a_camera_that_pauses_is_seen_again_whatever_its_timestamps_are_then(restart: float) -> None:
    """Those of its clock, those of an encoder that waited, those of another one."""
    feed = VideoFeed()
    screen = Screen(feed)
    sent(feed, 100, 0.0)
    paused = STALE_SECONDS + 3
    assert middle(screen.at(paused), ALONE) != 100
    for n in range(30):
        arrived = paused + n / 30
        feed.push(I420Frame.plain(640, 360, 150), restart + n / 30, START + arrived + 0.05)
    assert middle(screen.at(paused + 1), ALONE) == 150


PIECE = RATE // 20

Pieces = Iterable[tuple[float, int]]
"""When each piece of 50 ms was captured whole, and how loud it is."""


def pieces(begin: float, seconds: float, level: int) -> Iterator[tuple[float, int]]:
    return ((begin + (n + 1) * 0.05, level) for n in range(round(seconds * 20)))


def heard(*tracks: Pieces, seconds: float) -> NDArray[np.float32]:
    """The level of each 10 ms of the left channel, as the pipeline reads it `DELAY` behind."""
    mixer = Mixer()
    arrivals = sorted((at, number, level) for number, track in enumerate(tracks) for at, level in track)
    feeds = [AudioFeed(mixer, START) for _ in tracks]
    for feed in feeds:
        feed.jitter_buffer_delay = 0.02
    mixed = []
    for n in range(round(seconds * 100)):
        while arrivals and arrivals[0][0] <= n / 100 + DELAY:
            at, number, level = arrivals.pop(0)
            feeds[number].push(np.full((PIECE, CHANNELS), level, np.int16), START + at + 0.02)
        mixed.append(mixer.read(RATE // 100)[0] * 32_768)
    return np.array([part.mean() for part in mixed], dtype=np.float32)


def silent(levels: NDArray[np.float32]) -> bool:
    return bool(np.all(levels == 0))


def full(levels: NDArray[np.float32], level: int) -> bool:
    return bool(np.allclose(levels, level))


def test_sound_that_comes_late_is_heard_from_its_beginning() -> None:
    levels = heard(pieces(0, 14, 1000), pieces(12, 2, 500), seconds=14)
    assert full(levels[:1200], 1000)
    assert full(levels[1200:1400], 1500)


def test_sound_that_leaves_and_returns_is_heard_where_it_belongs() -> None:
    """It returns as another track."""
    levels = heard(pieces(1, 2, 1000), pieces(5, 2, 1000), seconds=8)
    assert silent(levels[:100])
    assert full(levels[100:300], 1000)
    assert silent(levels[300:500])
    assert full(levels[500:700], 1000)
    assert silent(levels[700:])


@pytest.mark.parametrize("gap", [0.3, 0.6, 2.0, 10.0])
def test_a_microphone_with_a_gap_is_heard_where_it_belongs(gap: float) -> None:
    """But for the first piece after it."""
    again = 2 + gap
    levels = heard([*pieces(0, 2, 1000), *pieces(again, 2, 1000)], seconds=again + 3)
    assert full(levels[:200], 1000)
    back = round(again * 100)
    assert silent(levels[210:back])
    assert full(levels[back + 5 : back + 200], 1000)
    assert silent(levels[back + 205 :])


def in_bursts(track: Pieces, count: int) -> Iterator[tuple[float, int]]:
    """As a busy machine hands them on: so many at a time."""
    waiting = list(track)
    for first in range(0, len(waiting), count):
        burst = waiting[first : first + count]
        yield from ((burst[-1][0] + number / 1000, level) for number, (_, level) in enumerate(burst))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_after_a_gap_pieces_that_come_together_are_heard_soon(count: int) -> None:
    track = [*in_bursts(pieces(0, 3, 1000), count), *in_bursts(pieces(6, 3, 1000), count)]
    levels = heard(track, seconds=10)
    assert silent(levels[310:595])
    assert full(levels[640:880], 1000)
