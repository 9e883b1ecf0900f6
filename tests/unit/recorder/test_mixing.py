"""All sound in one."""

import numpy as np
import pytest

from services.recorder.media.audio import CAPACITY, CHANNELS, RATE, AudioFeed, Mixer


def tone(level: int, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.full((count, CHANNELS), level, dtype=np.int16)


def test_what_sounds_at_the_same_time_is_added() -> None:
    mixer = Mixer()
    mixer.add(0, tone(1000, 100))
    mixer.add(50, tone(500, 100))
    mixed = mixer.read(200)
    assert mixed.shape == (CHANNELS, 200)
    assert mixed[0, ::50] * 32_768 == pytest.approx([1000, 1500, 500, 0])


def test_too_loud_is_limited() -> None:
    mixer = Mixer()
    for _ in range(5):
        mixer.add(0, tone(30_000, 10))
    assert mixer.read(10).max() == pytest.approx(32_767 / 32_768)


def test_nothing_is_heard_twice() -> None:
    mixer = Mixer()
    mixer.add(0, tone(1000, 100))
    assert mixer.read(100).any()
    mixer.add(50, tone(1000, 100))
    after = mixer.read(100)
    assert after[0, :50].all()
    assert not after[0, 50:].any()


def test_the_ring_goes_round() -> None:
    mixer = Mixer()
    position, size = 0, int(CAPACITY * RATE)
    while position < 3 * size:
        mixer.add(position, tone(position // 4800 % 100 + 1, 4800))
        mixed = mixer.read(4800)
        assert mixed[1] * 32_768 == pytest.approx(position // 4800 % 100 + 1)
        position += 4800


def test_what_is_too_far_ahead_is_dropped() -> None:
    mixer = Mixer()
    mixer.add(int(CAPACITY * RATE) - 10, tone(1000, 100))
    assert not mixer.read(int(CAPACITY * RATE) - 10).any()
    assert mixer.read(10).all()
    assert not mixer.read(200).any()


def test_after_a_break_the_old_is_gone() -> None:
    mixer = Mixer()
    mixer.add(100, tone(1000, 100))
    mixer.skip_to(1000)
    mixer.add(1000, tone(7, 10))
    assert mixer.read(20)[0] * 32_768 == pytest.approx([7.0] * 10 + [0.0] * 10)


def test_a_track_is_not_heard_over_itself_where_it_is_shifted() -> None:
    mixer = Mixer()
    feed = AudioFeed(mixer, start=100.0)
    feed.jitter_buffer_delay = 0.0
    piece = tone(1000, RATE // 20)
    for n in range(4):
        feed.push(piece, 100.0 + (n + 1) * 0.05)
    feed.jitter_buffer_delay = 0.04
    feed.push(piece, 100.0 + 5 * 0.05)
    mixed = mixer.read(RATE // 4) * 32_768
    assert mixed.max() == pytest.approx(1000)
    assert mixed[0, : int(0.21 * RATE)].min() == pytest.approx(1000)
    assert not mixed[0, int(0.211 * RATE) :].any()


def test_the_first_sound_waits_until_it_is_known_how_late_it_is() -> None:
    mixer = Mixer()
    feed = AudioFeed(mixer, start=100.0)
    piece = tone(1000, RATE // 20)
    feed.push(piece, 100.35)
    feed.push(piece, 100.40)
    feed.jitter_buffer_delay = 0.2
    feed.push(piece, 100.45)
    mixed = mixer.read(RATE // 2)[0]
    assert np.flatnonzero(mixed)[[0, -1]] == pytest.approx([int(0.1 * RATE), int(0.25 * RATE) - 1], abs=1)


def test_sound_does_not_wait_for_ever() -> None:
    mixer = Mixer()
    feed = AudioFeed(mixer, start=100.0)
    for n in range(8):
        feed.push(tone(1000, RATE // 20), 100.0 + (n + 1) * 0.05)
    assert mixer.read(RATE // 2)[0].any()


def test_sound_that_is_too_late_to_be_put_back_is_heard_all_the_same() -> None:
    mixer = Mixer()
    feed = AudioFeed(mixer, start=100.0)
    feed.jitter_buffer_delay = 1.5
    for n in range(60):
        feed.push(tone(1000, RATE // 20), 100.0 + (n + 1) * 0.05)
        # The pipeline reads half a second behind.
        mixed = mixer.read(RATE // 20)[0] if n >= 10 else None
        assert mixed is None or n < 20 or mixed.all()
