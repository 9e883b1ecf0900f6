"""When pictures are due, and when what came was taken."""

import pytest

from services.recorder.media.audio import RATE, AudioPlacement
from services.recorder.media.pipeline import BREAK_BEHIND, REPEAT_BEHIND, SKIP_BEHIND, Pacer
from shared.dejitter import Dejitter

PIECE = RATE // 20


def test_pictures_are_due_by_the_clock_for_hours() -> None:
    pacer = Pacer(start=100.0, rate=30)
    for number in range(30 * 3600):
        tick = pacer.next(100.0 + number / 30 + 0.004)
        assert (tick.number, tick.wait, tick.redraw, tick.skipped) == (number, 0.0, True, 0)


def test_who_is_early_waits() -> None:
    pacer = Pacer(start=100.0, rate=30)
    assert pacer.next(99.5).wait == pytest.approx(0.5)
    assert pacer.next(100.0).number == 0
    assert pacer.next(100.01).wait == pytest.approx(1 / 30 - 0.01)


def test_who_is_late_catches_up_without_drawing_and_then_leaves_out() -> None:
    pacer = Pacer(start=0.0, rate=30)
    late = pacer.next(REPEAT_BEHIND + 0.05)
    assert (late.number, late.redraw, late.skipped) == (0, False, 0)
    later = pacer.next(SKIP_BEHIND + 0.5)
    assert later.skipped > 0
    assert later.number == 1 + later.skipped
    assert not later.interrupted
    # The clock is right again: the next is due right after.
    assert 0 < pacer.next(SKIP_BEHIND + 0.5).wait <= 1 / 30 + 1e-9


def test_who_was_frozen_begins_a_new_part() -> None:
    assert Pacer(start=0.0, rate=30).next(BREAK_BEHIND + 0.1).interrupted


def test_jitter_is_taken_out() -> None:
    dejitter = Dejitter()
    delays = [0.03, 0.09, 0.04, 0.02, 0.3, 0.05, 0.06]
    placed = [dejitter.captured_at(n / 30, 50.0 + n / 30 + delay) for n, delay in enumerate(delays)]
    assert placed[3:] == pytest.approx([50.0 + n / 30 + 0.02 for n in range(3, len(delays))])


def test_a_slower_clock_is_followed() -> None:
    """A sender whose clock loses a tenth of a second in ten minutes."""
    dejitter = Dejitter()
    for n in range(30 * 600):
        taken = n / 30
        placed = dejitter.captured_at(taken * (1 - 0.1 / 600), taken)
        assert abs(placed - taken) < 0.005


def test_timestamps_that_jump_are_those_of_another_source() -> None:
    dejitter = Dejitter()
    dejitter.captured_at(1000.0, 50.0)
    assert dejitter.captured_at(3.0, 51.0) == pytest.approx(51.0)


def test_sound_stays_in_one_piece_though_it_comes_unevenly() -> None:
    place = AudioPlacement()
    lateness = [0.0, 0.02, 0.004, 0.09, 0.0, 0.06, 0.01] * 20
    begins = [place.begin(PIECE, (n + 1) * 0.05 + late) for n, late in enumerate(lateness)]
    assert begins == [n * PIECE for n in range(len(lateness))]


def test_sound_after_a_pause_is_put_where_it_belongs() -> None:
    place = AudioPlacement()
    for n in range(10):
        place.begin(PIECE, (n + 1) * 0.05)
    begins = [place.begin(PIECE, 5.0 + (n + 1) * 0.05) for n in range(4)]
    assert begins[2:] == [5 * RATE + 2 * PIECE, 5 * RATE + 3 * PIECE]


def test_a_hiccup_of_ours_is_no_pause() -> None:
    """Pieces that wait together come together: the second is no later than it should be."""
    place = AudioPlacement()
    for n in range(10):
        place.begin(PIECE, (n + 1) * 0.05)
    begins = [place.begin(PIECE, arrived) for arrived in (0.75, 0.751, 0.752, 0.753, 0.754, 0.8)]
    assert begins == [n * PIECE for n in range(10, 16)]


def test_a_first_piece_that_came_late_is_made_up_for() -> None:
    place = AudioPlacement()
    place.begin(PIECE, 0.05 + 0.2)
    begins = [place.begin(PIECE, (n + 2) * 0.05) for n in range(3)]
    assert begins == [PIECE, 2 * PIECE, 3 * PIECE]


def test_sound_that_comes_later_and_later_is_followed() -> None:
    """The sender's clock, or the buffer before us: 40 ms in ten seconds."""
    place = AudioPlacement()
    for n in range(200):
        begin = place.begin(PIECE, (n + 1) * 0.05 + n * 0.0002)
        assert abs(begin - n * PIECE - n * 0.0002 * RATE) < 0.05 * RATE
