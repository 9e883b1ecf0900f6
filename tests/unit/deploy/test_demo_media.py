"""Picture and tone: what the host draws and plays is known again by who receives it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deploy.demo.connection import MOVES_NEEDED, Reception
from deploy.demo.host_signal import (
    HEIGHT,
    PIXELS,
    RATE,
    WIDTH,
    WRAP,
    HostPicture,
    Luma,
    Tone,
    bounce,
    clock_text,
    is_tone,
    read_stamp,
    write_stamp,
)
from deploy.demo.media_file import DecodedMedia


def drawn(milliseconds: int) -> Luma:
    frame = np.frombuffer(HostPicture().draw(milliseconds), dtype=np.uint8)
    return frame[:PIXELS].reshape(HEIGHT, WIDTH)


@pytest.mark.parametrize("milliseconds", [0, 1, 12_345, WRAP - 1])
def test_the_time_of_a_picture_can_be_read(milliseconds: int) -> None:
    assert read_stamp(drawn(milliseconds)) == milliseconds


def test_the_time_survives_noise_and_scaling() -> None:
    noise = np.random.default_rng(1).normal(0, 30, (HEIGHT, WIDTH))
    noisy = np.clip(drawn(98_765) + noise, 0, 255).astype(np.uint8)
    assert read_stamp(noisy) == 98_765
    assert read_stamp(noisy[::2, ::2]) == 98_765


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (2, 2)])
@pytest.mark.parametrize("brightness", [0, 16, 128, 255])
def test_an_empty_picture_has_no_time(shape: tuple[int, int], brightness: int) -> None:
    assert read_stamp(np.full(shape, brightness, dtype=np.uint8)) is None


def test_a_stamp_later_than_it_can_tell_starts_again() -> None:
    luma = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    write_stamp(luma, WRAP + 7)
    assert read_stamp(luma) == 7


def test_the_picture_moves_and_shows_a_clock() -> None:
    # Away from the stamp, so that people see it, too.
    assert (drawn(1_000)[40:260] != drawn(1_066)[40:260]).any()
    assert (drawn(1_000)[270:] != drawn(1_100)[270:]).any()
    assert clock_text(83_456) == "01:23.4"


def test_the_ball_runs_to_and_fro() -> None:
    assert [bounce(way, 3) for way in range(8)] == [0, 1, 2, 3, 2, 1, 0, 1]


def test_the_tone_is_known_again_in_any_piece() -> None:
    tone = Tone()
    assert all(is_tone(tone.samples(RATE // 10)) for _ in range(20))


def test_silence_another_tone_and_too_little_of_it_are_not_the_tone() -> None:
    at = np.arange(RATE // 10)
    assert not is_tone(np.zeros(RATE // 10, dtype=np.int16))
    assert not is_tone((8_000 * np.sin(2 * np.pi * 880 * at / RATE)).astype(np.int16))
    assert not is_tone(Tone().samples(RATE // 100))


def test_a_reception_is_complete_with_a_moving_picture_and_the_tone() -> None:
    reception = Reception(lambda: 2.0)
    for number in range(MOVES_NEEDED):
        reception.see(drawn(1_900 + number))
    assert not reception.complete
    assert reception.missing() == "the tone (0 pieces of sound)"
    reception.hear(Tone().samples(RATE // 10))
    assert reception.complete
    assert (reception.first_frame_at, reception.delay) == (2.0, 98)


def test_a_picture_that_stands_still_is_not_enough() -> None:
    reception = Reception(lambda: 2.0)
    for _ in range(3 * MOVES_NEEDED):
        reception.see(drawn(1_900))
    assert (reception.frames, reception.moves) == (15, 1)
    assert "a moving picture (15 frames, 1 of them new)" in reception.missing()


def test_a_picture_of_somebody_else_is_no_first_frame() -> None:
    reception = Reception(lambda: 2.0)
    reception.see(np.zeros((2, 2), dtype=np.uint8))
    assert (reception.frames, reception.first_frame_at, reception.delay) == (1, None, None)


@pytest.mark.parametrize(
    ("rate", "late", "drift"),
    [
        (1.0, lambda _: 0.0, 0.0),
        (1.0, lambda at: max(0.0, 8.0 - at), 0.0),  # a busy machine that catches up
        (1.0, lambda at: 3.0 if at > 38 else 0.0, 0.0),
        (1.1, lambda _: 0.0, 2.0),
        (0.9, lambda _: 0.0, -2.0),
    ],
)
def test_a_clock_that_is_wrong_is_told_from_pictures_that_come_late(
    rate: float, late: Callable[[float], float], drift: float
) -> None:
    shown = [number / 10 for number in range(400)]
    stamps = [100.0 + rate * at - late(at) for at in shown]
    assert DecodedMedia(shown, stamps).drift == pytest.approx(drift, abs=0.1)
