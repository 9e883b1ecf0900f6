"""Where live is in what an encoder sends: never in a burst of what has waited for us."""

import pytest

from services.relay.transcoder import LiveEdge

RATE = 25


def passed_on(*pieces: tuple[float, float]) -> list[float]:
    """The media times of what is passed on, of pieces of media that came at a time."""
    edge = LiveEdge()
    return [media for media, now in pieces if edge.is_live(media, now)]


def live(begin: float, seconds: float, *, at: float) -> list[tuple[float, float]]:
    """Each piece comes when it was made; the first one at `at`."""
    return [(begin + n / RATE, at + n / RATE) for n in range(round(seconds * RATE))]


def test_what_waited_is_left_out() -> None:
    burst = [(n / RATE, 100.0 + n * 0.001) for n in range(2 * RATE)]
    assert passed_on(*burst, *live(2.0, 1.0, at=100.05))[0] == pytest.approx(2.2, abs=0.05)


def test_live_is_reached_soon_where_nothing_waited() -> None:
    assert passed_on(*live(7.0, 1.0, at=100.0))[0] == pytest.approx(7.2, abs=0.01)


def test_once_live_nothing_is_left_out() -> None:
    late = [(1.0 + n / RATE, 102.0 + n * 0.001) for n in range(RATE)]
    assert passed_on(*live(0.0, 1.0, at=100.0), *late)[-RATE:] == [media for media, _ in late]


def test_picture_and_sound_that_take_turns_unevenly_are_no_burst() -> None:
    pairs = [(media - 0.08 * (n % 2), now) for n, (media, now) in enumerate(live(0.0, 1.0, at=100.0))]
    assert passed_on(*pairs)[0] <= 0.25


def test_who_sends_faster_than_it_is_made_is_taken_after_a_while() -> None:
    fast = [(n / RATE, 100.0 + n / RATE / 4) for n in range(20 * RATE)]
    assert passed_on(*fast)[0] == pytest.approx(12.0, abs=0.1)


def test_how_far_behind_live_is_known() -> None:
    edge = LiveEdge()
    for media, now in live(50.0, 1.0, at=100.0):
        edge.is_live(media, now)
    assert edge.delay(52.0, 102.0) == pytest.approx(0.0, abs=0.01)
    assert edge.delay(52.0, 108.0) == pytest.approx(6.0, abs=0.01)
    assert edge.delay(58.0, 102.0) < 0
