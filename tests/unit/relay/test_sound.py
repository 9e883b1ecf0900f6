"""Sound of every kind is passed on in 48 kHz and two channels, and goes on when its kind changes."""

import pytest

from services.relay.media.sound import PIECE
from tests.unit.relay.films import Passed, Tone, in_a_row, tags

MONO, STEREO = 0.25, 0.35


def test_mono_becomes_stereo_in_the_middle() -> None:
    passed = Passed().take(in_a_row(Tone(44_100, "mono"), Tone(48_000, "stereo"), Tone(44_100, "mono")))
    assert passed.seconds_of_sound == pytest.approx(3.0, abs=0.15)
    assert passed.loudness(0.2, 0.8) == pytest.approx((MONO, MONO), abs=0.03)
    assert passed.loudness(1.3, 1.8) == pytest.approx((STEREO, 0.0), abs=0.03)
    assert passed.loudness(2.4, 2.8) == pytest.approx((MONO, MONO), abs=0.03)
    assert {len(piece) for piece in passed.pieces} == {PIECE * 4}


@pytest.mark.parametrize("layout", ["5.1", "3.0", "quad"])
def test_more_channels_than_two_are_mixed_down(layout: str) -> None:
    """The tone is on the left one."""
    left, right = Passed().take(tags(Tone(48_000, layout).flv())).loudness(0.2, 0.8)
    assert left > 0.1
    assert right < 0.02


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 32_000, 44_100, 96_000])
def test_rates_of_every_kind_last_as_long_and_sound_as_high(rate: int) -> None:
    passed = Passed().take(tags(Tone(rate).flv()))
    assert passed.seconds_of_sound == pytest.approx(1.0, abs=0.2)
    assert passed.hertz(0.3, 0.8) == pytest.approx(440, abs=5)


@pytest.mark.parametrize(
    ("codec", "rate", "named"),
    [
        *(("libmp3lame", 44_100, "mp3"), ("libopus", 48_000, "opus"), ("flac", 48_000, "flac")),
        *(("pcm_alaw", 8_000, "pcm_alaw"), ("pcm_mulaw", 8_000, "pcm_mulaw"), ("ac3", 48_000, "ac3")),
        *(("nellymoser", 8_000, "nellymoser"), ("adpcm_swf", 22_050, "adpcm_swf")),
    ],
)
def test_codecs_that_webrtc_does_not_know_are_passed_on(codec: str, rate: int, named: str) -> None:
    passed = Passed().take(tags(Tone(rate, "mono", codec).flv()))
    assert passed.sound_sink.codec == named
    assert passed.hertz(0.3, 0.8) == pytest.approx(440, abs=8)
    assert passed.sound_sink.format == (rate, 1)
