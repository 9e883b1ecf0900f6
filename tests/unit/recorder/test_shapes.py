"""What is sent in any shape is seen whole, with bars, or fills its box: the corners tell."""

from __future__ import annotations

import numpy as np
import pytest

from services.recorder.media.compositor import Compositor
from services.recorder.media.frames import BLACK, Canvas, I420Frame
from services.recorder.media.layout import (
    Box,
    Picture,
    SharedScreen,
    StageParticipant,
    Tile,
    fitted,
    grid,
    scene,
)
from services.recorder.media.video_feed import STALE_SECONDS, VideoFeed
from shared.contracts.states import VideoFit

WIDTH, HEIGHT = 1280, 720
START = 1000.0
MARK, GROUND = 220, 110
SHAPES = [(640, 480), (720, 720), (1680, 720), (360, 640), (1440, 1080), (718, 406)]


def marked(width: int, height: int) -> I420Frame:
    """With a bright block in each corner, a twelfth of the shorter side."""
    frame, size = I420Frame.plain(width, height, GROUND), min(width, height) // 12
    for rows in (slice(0, size), slice(-size, None)):
        for columns in (slice(0, size), slice(-size, None)):
            frame.y[rows, columns] = MARK
    return frame


def feed(*frames: I420Frame) -> VideoFeed:
    feed = VideoFeed()
    for number, frame in enumerate(frames):
        feed.push(frame, START + number, START + number)
    return feed


def shaped(*sizes: tuple[int, int]) -> VideoFeed:
    return feed(*(marked(*size) for size in sizes))


def person(identity: str, *cameras: VideoFeed, screen: VideoFeed | None = None) -> StageParticipant:
    """Without a name, which would hide a corner."""
    return StageParticipant(
        identity, "", cameras=cameras, screens=(SharedScreen(screen, 0),) if screen else ()
    )


def encoder(camera: VideoFeed) -> StageParticipant:
    return StageParticipant("host:whip", "", cameras=(camera,), is_host=True, is_encoder=True)


def drawn(*people: StageParticipant, fit: VideoFit = VideoFit.FILL, after: float = 0.0) -> I420Frame:
    canvas = Canvas(WIDTH, HEIGHT)
    Compositor(canvas).draw(scene(people, Picture(WIDTH, HEIGHT, fit)), START + after)
    return canvas.planes


def corners(picture: I420Frame, box: Box) -> list[int]:
    """The brightness just within each corner of a box."""
    inset = min(box.width, box.height) // 30
    rows = (box.top + inset, box.top + box.height - 1 - inset)
    columns = (box.left + inset, box.left + box.width - 1 - inset)
    return [int(picture.y[row, column]) for row in rows for column in columns]


def assert_whole(picture: I420Frame, size: tuple[int, int], box: Box) -> None:
    """All four corners, and bars in the rest of the box."""
    where = fitted(*size, box)
    assert where.width / where.height == pytest.approx(size[0] / size[1], rel=0.02)
    assert where.width == box.width or where.height == box.height
    assert min(corners(picture, where)) > MARK - 20, (size, where)
    within = picture.y[box.top : box.top + box.height, box.left : box.left + box.width].astype(int)
    within[
        where.top - box.top : where.top - box.top + where.height,
        where.left - box.left : where.left - box.left + where.width,
    ] = BLACK
    assert np.ptp(within) == 0


def assert_filled(picture: I420Frame, box: Box) -> None:
    """Nothing of the box is empty, and the corners are those of no picture."""
    within = picture.y[box.top : box.top + box.height, box.left : box.left + box.width]
    assert within.min() > GROUND - 20
    assert max(corners(picture, box)) < GROUND + 20


ALONE = Box(0, 0, WIDTH, HEIGHT)
LEFT, RIGHT = Box(0, 180, 640, 360), Box(640, 180, 640, 360)
SCREEN, BESIDE = Box(0, 0, 1024, 720), Box(1024, 0, 256, 144)


@pytest.mark.parametrize("size", SHAPES)
def test_who_is_alone_is_seen_whole(size: tuple[int, int]) -> None:
    assert_whole(drawn(person("a", shaped(size))), size, ALONE)


@pytest.mark.parametrize("size", SHAPES)
def test_the_only_video_is_seen_whole_beside_people_without_one(size: tuple[int, int]) -> None:
    assert_whole(drawn(person("a", shaped(size)), person("b")), size, LEFT)


@pytest.mark.parametrize("size", SHAPES)
def test_all_cameras_of_a_sole_presenter_are_seen_whole(size: tuple[int, int]) -> None:
    """A webcam and a document camera, from one device or two; beside a shared screen, too."""
    both = drawn(person("a", shaped((640, 480)), shaped(size)), person("listener"))
    boxes = grid(3, WIDTH, HEIGHT)
    assert_whole(both, (640, 480), boxes[0])
    assert_whole(both, size, boxes[1])
    by_encoder = drawn(encoder(shaped((640, 480))), person("host:laptop", shaped(size)))
    assert_whole(by_encoder, (640, 480), LEFT)
    assert_whole(by_encoder, size, RIGHT)
    assert_whole(drawn(person("a", shaped(size), screen=shaped((640, 480)))), size, BESIDE)


def test_two_cameras_of_a_person_beside_anothers_fill_their_boxes() -> None:
    size = (640, 480)
    picture = drawn(person("a", shaped(size), shaped(size)), person("b", shaped(size)))
    for box in grid(3, WIDTH, HEIGHT):
        assert_filled(picture, box)


@pytest.mark.parametrize("size", SHAPES)
def test_an_encoder_is_seen_whole_alone_and_beside_others(size: tuple[int, int]) -> None:
    assert_whole(drawn(encoder(shaped(size))), size, ALONE)
    together = drawn(encoder(shaped(size)), person("b", shaped((640, 480))))
    assert_whole(together, size, LEFT)
    assert_filled(together, RIGHT)
    beside = drawn(encoder(shaped(size)), person("b", screen=shaped((640, 480))))
    assert_whole(beside, (640, 480), SCREEN)
    assert_whole(beside, size, BESIDE)


@pytest.mark.parametrize("size", SHAPES)
def test_a_screen_is_seen_whole(size: tuple[int, int]) -> None:
    assert_whole(drawn(person("a", screen=shaped(size))), size, ALONE)
    assert_whole(drawn(person("a", shaped((640, 480)), screen=shaped(size))), size, SCREEN)


@pytest.mark.parametrize("size", [(640, 480), (720, 720), (1680, 720)])
def test_cameras_side_by_side_fill_their_boxes_or_not_as_the_preset_says(size: tuple[int, int]) -> None:
    people = person("a", shaped(size)), person("b", shaped(size))
    filled, whole = drawn(*people), drawn(*people, fit=VideoFit.FIT)
    for box in (LEFT, RIGHT):
        assert_filled(filled, box)
        assert_whole(whole, size, box)


def test_an_upright_camera_is_never_cropped() -> None:
    picture = drawn(person("a", shaped((360, 640))), person("b", shaped((640, 480))))
    assert_whole(picture, (360, 640), LEFT)


def test_a_shape_that_changes_leaves_no_rest_of_the_one_before() -> None:
    canvas, sizes = Canvas(WIDTH, HEIGHT), [(640, 480), (360, 640), (1680, 720), (720, 720), (1280, 720)]
    tiles = scene([encoder(shaped(*sizes))], Picture(WIDTH, HEIGHT))
    compositor = Compositor(canvas)
    for number, size in enumerate(sizes):
        compositor.draw(tiles, START + number)
        assert_whole(canvas.planes, size, ALONE)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_phone_that_is_turned_is_upright(quarters: int) -> None:
    """What the sensor gives is turned by the quarters that its metadata names."""
    upright = I420Frame.plain(360, 640, GROUND)
    upright.y[:64, :64] = MARK
    lying = I420Frame(*(np.rot90(plane, quarters) for plane in upright))
    picture = drawn(person("a", feed(lying.rotated(quarters))))
    where = fitted(360, 640, ALONE)
    assert [bright > MARK - 20 for bright in corners(picture, where)] == [True, False, False, False]


def test_an_encoder_that_stopped_sending_leaves_its_initials() -> None:
    picture = drawn(encoder(shaped((1280, 720))), after=STALE_SECONDS + 1)
    assert max(corners(picture, ALONE)) < GROUND - 20


def test_both_cameras_of_a_person_are_seen() -> None:
    first, second, other = (shaped((640, 360)) for _ in range(3))
    anna = StageParticipant("a", "Anna", cameras=(first, second))
    tiles = scene([anna, StageParticipant("b", "Bob", cameras=(other,))], Picture(WIDTH, HEIGHT))
    assert [(tile.name, tile.feed) for tile in tiles] == [("Anna", first), ("Anna", second), ("Bob", other)]
    assert len({tile.box for tile in tiles}) == 3
    [left] = scene([StageParticipant("a", "Anna", cameras=(second,))], Picture(WIDTH, HEIGHT))
    assert (left.feed, left.box) == (second, ALONE)


def test_a_second_camera_takes_nobodys_box() -> None:
    cameras = tuple(shaped((640, 360)) for _ in range(4))
    crowd = [StageParticipant(str(number), str(number)) for number in range(7)]
    anna = StageParticipant("a", "Anna", cameras=cameras)
    bob = StageParticipant("b", "Bob", cameras=cameras[:2])

    def names(people: list[StageParticipant]) -> str:
        return "".join(tile.name[0] for tile in scene(people, Picture(WIDTH, HEIGHT)))

    assert names([anna, *crowd]) == "AA0123456"
    assert names([anna, bob, *crowd]) == "AB0123456"
    assert names([anna, bob, *crowd[:4]]) == "AAAAB0123"
    assert names([anna, bob, *crowd[:3]]) == "AAAABB012"


def share(number: int, size: tuple[int, int] = (640, 480)) -> SharedScreen:
    return SharedScreen(shaped(size), number)


def test_of_two_screens_the_newest_is_large_and_the_other_beside_it() -> None:
    old, new = share(3), share(5)
    anna = StageParticipant("a", "Anna", screens=(new,))
    bob = StageParticipant("b", "Bob", cameras=(shaped((640, 360)),), screens=(old,))
    large, other, camera = scene([anna, bob], Picture(WIDTH, HEIGHT))
    assert (large.feed, large.name, large.box) == (new.feed, "Anna", SCREEN)
    assert other == Tile(BESIDE, "Bob", old.feed, whole=True, still=True)
    assert (camera.feed, camera.name) == (bob.cameras[0], "Bob")
    [alone] = scene([StageParticipant("b", "", screens=(old,))], Picture(WIDTH, HEIGHT))
    assert (alone.feed, alone.box) == (old.feed, ALONE)


def test_two_screens_of_one_person_are_both_seen() -> None:
    old, new = share(1), share(2)
    large, other = scene([StageParticipant("a", "Anna", screens=(old, new))], Picture(WIDTH, HEIGHT))
    assert (large.feed, other.feed) == (new.feed, old.feed)


def test_many_screens_leave_no_room_for_more_boxes_than_there_are() -> None:
    shares = [StageParticipant(str(n), str(n), (shaped((64, 36)),), (share(n),)) for n in range(12)]
    tiles = scene(shares, Picture(WIDTH, HEIGHT))
    assert len(tiles) == 10
    assert [tile.name for tile in tiles] == [str(n) for n in range(11, 1, -1)]
