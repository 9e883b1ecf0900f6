"""Where everybody is in the picture."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recorder.media.layout import MAX_TILES, Box, beside_large, covering, fitted, grid

WIDTH, HEIGHT = 1280, 720
SIZES = st.sampled_from([(1280, 720), (1920, 1080), (640, 360), (854, 480), (720, 1280)])


def apart(one: Box, other: Box) -> bool:
    return (
        one.left + one.width <= other.left
        or other.left + other.width <= one.left
        or one.top + one.height <= other.top
        or other.top + other.height <= one.top
    )


def check(boxes: list[Box], width: int, height: int) -> None:
    for box in boxes:
        assert box.width > 0
        assert box.height > 0
        assert not any(value % 2 for value in (box.left, box.top, box.width, box.height)), box
        assert 0 <= box.left <= width - box.width, box
        assert 0 <= box.top <= height - box.height, box
    assert all(apart(*pair) for pair in combinations(boxes, 2)), boxes


@given(st.integers(1, MAX_TILES), SIZES)
def test_a_grid_lies_within_the_picture_and_nobody_hides_another(count: int, size: tuple[int, int]) -> None:
    boxes = grid(count, *size)
    assert len(boxes) == count
    assert len({(box.width, box.height) for box in boxes}) == 1
    check(boxes, *size)


@pytest.mark.parametrize(
    ("count", "size"),
    [(1, (1280, 720)), (2, (640, 360)), (4, (640, 360)), (5, (426, 240)), (9, (426, 240))],
)
def test_everybody_is_as_large_as_can_be(count: int, size: tuple[int, int]) -> None:
    assert {(box.width, box.height) for box in grid(count, WIDTH, HEIGHT)} == {size}


def test_the_last_row_is_in_the_middle() -> None:
    assert grid(3, WIDTH, HEIGHT) == [Box(0, 0, 640, 360), Box(640, 0, 640, 360), Box(320, 360, 640, 360)]


def test_nobody_needs_no_box() -> None:
    assert grid(0, WIDTH, HEIGHT) == []


@given(st.integers(0, 12), SIZES)
def test_people_lie_beside_the_screen(people: int, size: tuple[int, int]) -> None:
    large, boxes = beside_large(people, *size)
    assert len(boxes) == min(people, MAX_TILES)
    check([large, *boxes], *size)
    assert all(large.width * large.height > 4 * box.width * box.height for box in boxes)


@given(st.integers(16, 4000), st.integers(16, 4000))
def test_a_whole_picture_keeps_its_shape(width: int, height: int) -> None:
    box = Box(100, 50, 640, 360)
    where = fitted(width, height, box)
    assert box.left <= where.left <= box.left + box.width - where.width
    assert box.top <= where.top <= box.top + box.height - where.height
    assert box.width - where.width <= 2 or box.height - where.height <= 2
    if min(where.width, where.height) > 100:
        assert where.width / where.height == pytest.approx(width / height, rel=0.05)


@given(st.integers(16, 4000), st.integers(16, 4000))
def test_what_fills_a_box_has_its_shape(width: int, height: int) -> None:
    box = Box(0, 0, 640, 360)
    part = covering(width, height, box)
    assert 0 <= part.left <= width - part.width
    assert 0 <= part.top <= height - part.height
    if min(part.width, part.height) > 100:
        assert part.width / part.height == pytest.approx(640 / 360, rel=0.05)
