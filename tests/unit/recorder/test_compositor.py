"""What is drawn: pictures where they belong, names, and something for everybody who shows nothing."""

import numpy as np
import pytest

from services.recorder.media.compositor import Compositor
from services.recorder.media.frames import BLACK, Canvas, I420Frame, Plane
from services.recorder.media.layout import Box, Picture, SharedScreen, StageParticipant, Tile, scene
from services.recorder.media.text_overlay import BACKDROP, TILE, initials_tag, name_tag, waiting_note
from services.recorder.media.video_feed import STALE_SECONDS, VideoFeed

WIDTH, HEIGHT = 1280, 720
START = 1000.0


def feed_of(luma: int, size: tuple[int, int] = (640, 360), *, at: float = START) -> VideoFeed:
    feed = VideoFeed()
    feed.push(I420Frame.plain(*size, luma), at, at)
    return feed


def person(
    identity: str, name: str, camera: VideoFeed | None, screen: VideoFeed | None = None
) -> StageParticipant:
    return StageParticipant(
        identity,
        name,
        cameras=(camera,) if camera else (),
        screens=(SharedScreen(screen, 0),) if screen else (),
    )


def drawn(*people: StageParticipant, moment: float = START) -> I420Frame:
    canvas = Canvas(WIDTH, HEIGHT)
    Compositor(canvas).draw(scene(people, Picture(WIDTH, HEIGHT)), moment)
    return canvas.planes


def middle(picture: I420Frame, left: int, top: int, width: int, height: int) -> int:
    """The brightness in the middle of a box."""
    return int(picture.y[top + height // 2, left + width // 2])


def in_the_middle(picture: I420Frame, part: I420Frame) -> Plane:
    """As much of the middle as `part` has."""
    left, top = (WIDTH - part.width) // 4 * 2, (HEIGHT - part.height) // 4 * 2
    return picture.crop(left, top, part.width, part.height).y


def test_one_person_fills_the_picture() -> None:
    picture = drawn(person("a", "Anna", feed_of(90)))
    assert np.median(picture.y) == 90
    assert picture.y[0, 0] == picture.y[-1, -1] == 90


def test_each_of_four_has_a_quarter() -> None:
    people = [person(str(n), f"P{n}", feed_of(60 + 20 * n)) for n in range(4)]
    picture = drawn(*people)
    quarters = [(0, 0), (640, 0), (0, 360), (640, 360)]
    assert [middle(picture, *at, 640, 360) for at in quarters] == [60, 80, 100, 120]


def test_a_shared_screen_is_large_and_whole() -> None:
    anna = person("a", "Anna", feed_of(90), screen=feed_of(200, (800, 600)))
    picture = drawn(anna, person("b", "Bob", feed_of(120)))
    assert middle(picture, 0, 0, 1024, 720) == 200
    assert picture.y[360, 10] == BLACK
    assert middle(picture, 1024, 0, 256, 144) == 90
    assert middle(picture, 1024, 144, 256, 144) == 120


def test_an_upright_picture_keeps_its_edges() -> None:
    picture = drawn(person("a", "Anna", feed_of(90, (360, 640))))
    assert middle(picture, 0, 0, WIDTH, HEIGHT) == 90
    assert picture.y[100, 100] == BLACK


def test_a_camera_that_is_off_leaves_a_placeholder() -> None:
    picture = drawn(person("a", "Anna Lund", None))
    assert picture.y[0, 0] == TILE
    assert np.array_equal(in_the_middle(picture, shown := initials_tag("Anna Lund", WIDTH, HEIGHT)), shown.y)
    assert np.ptp(shown.y) > 100


def test_a_camera_that_no_longer_sends_leaves_a_placeholder() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    compositor, tiles = Compositor(canvas), scene([person("a", "Anna", feed_of(90))], Picture(WIDTH, HEIGHT))
    compositor.draw(tiles, START + STALE_SECONDS - 0.1)
    assert np.median(canvas.planes.y) == 90
    compositor.draw(tiles, START + STALE_SECONDS + 0.1)
    assert np.median(canvas.planes.y) != 90


def test_a_still_screen_stays() -> None:
    anna = person("a", "Anna", None, screen=feed_of(200, (1280, 720)))
    assert middle(drawn(anna, moment=START + 600), 0, 0, 1024, 720) == 200


def test_nobody_leaves_a_note() -> None:
    picture = drawn()
    assert picture.y[0, 0] == BACKDROP
    assert np.array_equal(in_the_middle(picture, shown := waiting_note(WIDTH, HEIGHT)), shown.y)
    assert np.ptp(shown.y) > 100


def test_who_leaves_is_no_longer_seen() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    compositor = Compositor(canvas)
    people = [person(str(n), f"P{n}", feed_of(60 + 20 * n)) for n in range(2)]
    compositor.draw(scene(people, Picture(WIDTH, HEIGHT)), START)
    assert canvas.planes.y[0, 0] == BLACK
    compositor.draw(scene(people[:1], Picture(WIDTH, HEIGHT)), START)
    assert np.median(canvas.planes.y) == 60
    assert canvas.planes.y[0, 0] == 60


def test_a_change_of_size_in_the_middle_leaves_no_rest() -> None:
    canvas, feed = Canvas(WIDTH, HEIGHT), feed_of(90, (1280, 720))
    compositor, tiles = Compositor(canvas), scene([person("a", "", feed)], Picture(WIDTH, HEIGHT))
    compositor.draw(tiles, START)
    feed.push(I420Frame.plain(360, 640, 120), START + 1, START + 1)
    compositor.draw(tiles, START + 1)
    assert set(np.unique(canvas.planes.y)) == {BLACK, 120}


@pytest.mark.parametrize("size", [(2, 2), (641, 359), (17, 23), (1920, 1080), (320, 180)])
def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    """LiveKit ends a muted track with a black picture of two pixels: it is none."""
    picture = drawn(person("a", "Anna", feed_of(90, size)), person("b", "Bob", feed_of(120)))
    assert middle(picture, 640, 180, 640, 360) == 120
    assert (middle(picture, 0, 180, 640, 360) == 90) is (size != (2, 2))


def test_names_are_written_and_odd_ones_do_no_harm() -> None:
    picture = drawn(person("a", "Anna", feed_of(90)))
    tag = name_tag("Anna", WIDTH, HEIGHT)
    assert tag is not None
    assert tag.y.max() > 200
    assert picture.y[600:].max() == tag.y.max()
    assert name_tag(" \x00\n", WIDTH, HEIGHT) is None
    long = name_tag("W" * 500, 256, 144)
    assert long is not None
    assert long.width < 256
    for name in ("", "\u202e\u0000evil", "日本語 名前", "😀" * 50):
        drawn(person("a", name, None), person("b", name, feed_of(90)))


def test_pictures_wait_for_their_time() -> None:
    feed = VideoFeed()
    for n in range(5):
        feed.push(I420Frame.plain(64, 36, 20 + n), START + n / 30, START + n / 30 + 0.05)
    assert feed.at(START) is None
    shot = feed.at(START + 0.05 + 2.5 / 30)
    assert shot is not None
    assert shot.frame.y[0, 0] == 22
    assert feed.at(START + 0.05 + 2.6 / 30) is shot
    assert feed.at(START + 100) is not shot


def test_only_so_many_are_shown() -> None:
    people = [person(str(n), f"P{n}", None) for n in range(20)]
    assert len(scene(people, Picture(WIDTH, HEIGHT))) == 9
    tiles = scene([person("x", "X", None, screen=feed_of(90)), *people], Picture(WIDTH, HEIGHT))
    assert len(tiles) == 10
    assert tiles[0].whole
    assert tiles[0] == Tile(Box(0, 0, 1024, 576), "X", tiles[0].feed, whole=True, still=True)


def test_turned_pictures_stand_upright() -> None:
    picture = I420Frame.plain(64, 32, 50)
    picture.y[0, 0] = 200
    turned = picture.rotated(1)
    assert (turned.width, turned.height) == (32, 64)
    assert turned.y[0, -1] == 200
    assert picture.rotated(2).y[-1, -1] == 200
    assert picture.rotated(3).y[-1, 0] == 200
    assert picture.rotated(0) is picture


def test_whose_video_is_published_and_does_not_arrive_is_known() -> None:
    compositor, silent = Compositor(Canvas(WIDTH, HEIGHT)), VideoFeed()
    cameras = StageParticipant("c", "Carla", cameras=(silent, VideoFeed()))
    anna, ben, dora = (
        person("a", "Anna", feed_of(90)),
        person("b", "Ben", None, silent),
        person("d", "Dora", None),
    )
    for people, after, expected in (
        ((anna, ben, cameras, dora), 0.0, ["Ben", "Carla"]),
        ((anna, ben, cameras, dora), STALE_SECONDS + 1, ["Ben", "Anna", "Carla"]),
        ((person("a", "Anna", feed_of(90)), dora), 0.0, []),
    ):
        compositor.draw(scene(people, Picture(WIDTH, HEIGHT)), START + after)
        assert list(compositor.missing) == expected
