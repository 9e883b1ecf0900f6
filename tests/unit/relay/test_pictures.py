"""Pictures of every kind are passed on in their shape and colours, and with key pictures by time."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from services.relay.media.picture import KEY_SECONDS
from tests.unit.relay.films import X264, Film, Passed, at_rate, in_a_row, tags

HALF_A_SECOND = at_rate(30, 0.5)


def test_an_encoder_that_turns_shows_squares_as_squares() -> None:
    passed = Passed().take(in_a_row(Film(180, 320), Film(320, 180), Film(180, 320)))
    assert passed.shapes == {(180, 320, 1.0), (320, 180, 1.0)}
    assert len(passed.pictures) > 80
    firsts = [one for one, before in pairwise(passed.pictures) if one.width != before.width]
    assert len(firsts) == 2
    assert sum(picture.key for picture in passed.pictures) == 3


@pytest.mark.parametrize(
    ("width", "height", "aspect", "shown"),
    [
        (720, 576, Fraction(64, 45), (1024, 576)),
        (720, 480, Fraction(8, 9), (640, 480)),
        (352, 288, Fraction(12, 11), (384, 288)),
        (1440, 1080, Fraction(4, 3), (1920, 1080)),
    ],
)
def test_pixels_that_are_no_squares_become_squares(
    width: int, height: int, aspect: Fraction, shown: tuple[int, int]
) -> None:
    [shape] = Passed().take(tags(Film(width, height, aspect, times=at_rate(30, 0.2)).flv())).shapes
    assert shape[:2] == shown
    assert shape[2] == pytest.approx(1.0, abs=0.03)


def test_the_aspect_of_pixels_may_change_and_the_size_stay() -> None:
    films = [Film(360, 288, aspect, times=HALF_A_SECOND) for aspect in (Fraction(1), Fraction(64, 45))]
    shapes = Passed().take(in_a_row(*films)).shapes
    assert {(width, height) for width, height, _ in shapes} == {(360, 288), (512, 288)}
    assert all(ratio == pytest.approx(1.0, abs=0.03) for _, _, ratio in shapes)


@pytest.mark.parametrize(
    ("size", "shown"),
    [((3840, 2160), (1920, 1080)), ((1440, 2560), (1080, 1920)), ((2560, 1080), (1920, 810))],
)
def test_what_is_larger_than_anybody_gets_is_made_smaller(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    [shape] = Passed().take(tags(Film(*size, times=at_rate(30, 0.1)).flv())).shapes
    assert shape[:2] == shown
    assert shape[2] == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("pixels", ["yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"])
def test_profiles_that_webrtc_does_not_know_are_passed_on(pixels: str) -> None:
    """And odd sizes, which 4:4:4 has."""
    size = (321, 181) if pixels == "yuv444p" else (320, 180)
    passed = Passed().take(in_a_row(Film(times=HALF_A_SECOND), Film(*size, pixels=pixels)))
    assert len(passed.pictures) > 38
    assert all(ratio == pytest.approx(1.0, abs=0.03) for _, _, ratio in passed.shapes)


@pytest.mark.parametrize(
    ("codec", "options", "named"),
    [
        ("libx265", (("preset", "ultrafast"), ("x265-params", "log-level=none:bframes=0")), "hevc"),
        ("libsvtav1", (("preset", "12"), ("svtav1-params", "lookahead=0:pred-struct=1")), "av1"),
        ("libvpx-vp9", (("deadline", "realtime"), ("cpu-used", "8")), "vp9"),
        ("flv", (), "flv1"),
    ],
)
def test_codecs_that_webrtc_does_not_know_are_passed_on(
    codec: str, options: tuple[tuple[str, str], ...], named: str
) -> None:
    passed = Passed().take(tags(Film(codec=codec, options=options, times=HALF_A_SECOND).flv()))
    assert len(passed.pictures) >= 12
    assert passed.shapes == {(320, 180, 1.0)}
    assert passed.picture_sink.codec == named


@pytest.mark.parametrize("matrix", ["smpte170m", "bt709"])
@pytest.mark.parametrize("part", ["tv", "pc"])
def test_colours_stay_what_they_are(matrix: str, part: str) -> None:
    """Whoever gets the pictures takes them for BT.601 of limited range, as a webcam's."""
    pixels = "yuvj420p" if part == "pc" else "yuv420p"
    film = Film(colour=(200, 60, 30), matrix=(matrix, part), pixels=pixels, times=at_rate(30, 0.2))
    shown = list(Passed().take(tags(film.flv())).decoded())[-1]
    colours = shown.reformat(format="rgb24", src_colorspace="ITU601", src_color_range="MPEG").to_ndarray()
    assert np.abs(colours[90, 160].astype(int) - (200, 60, 30)).max() <= 8


def test_interlaced_pictures_lose_their_combs() -> None:
    """Of noise, each second line is made of those beside it: it is alike them then."""
    interlaced = (*X264, ("flags", "+ildct+ilme"), ("x264-params", "tff=1"))
    alike = []
    for options in (X264, interlaced):
        film = Film(options=(*options, ("crf", "10")), times=HALF_A_SECOND, noise=True)
        lines = list(Passed().take(tags(film.flv())).decoded())[-1].to_ndarray()[:180]
        alike.append(float(np.corrcoef(lines[:-1].ravel(), lines[1:].ravel())[0, 1]))
    assert alike[0] < 0.2
    assert alike[1] > 0.4


@pytest.mark.parametrize("rate", [3, 10, 25, 30, 60000 / 1001])
@pytest.mark.parametrize("declared", [30, 1000])
def test_key_pictures_go_by_time_however_many_pictures_come(rate: float, declared: int) -> None:
    film = Film(64, 64, declared=declared, times=at_rate(rate, 7))
    times = Passed().take(tags(film.flv())).key_times
    gaps = np.diff(times)
    assert len(gaps) >= 2
    assert all(KEY_SECONDS - 0.02 <= gap <= KEY_SECONDS + 1 / rate + 0.02 for gap in gaps)


def test_a_rate_that_changes_changes_nothing() -> None:
    times = (*at_rate(60, 3), *at_rate(2, 4, begin=3), *at_rate(30, 3, begin=7))
    gaps = np.diff(Passed().take(tags(Film(64, 64, times=times).flv())).key_times)
    assert all(gap <= KEY_SECONDS + 0.52 for gap in gaps)


def test_more_pictures_than_a_viewer_sees_are_left_out() -> None:
    passed = Passed().take(tags(Film(64, 64, declared=1000, times=at_rate(500, 1)).flv()))
    assert 30 <= len(passed.pictures) <= 64


def test_time_only_goes_forward_though_the_encoder_starts_again_or_jumps() -> None:
    film = Film(64, 64, times=HALF_A_SECOND).flv()
    begins = [(100.0, 0.0), (0.0, 0.6), (3000.0, 1.2), (2999.0, 1.8), (4_294_000.0, 2.4), (0.0, 3.0)]
    passed = Passed().take([one for begin, at in begins for one in tags(film, begin=begin, sent_at=at)])
    taken = [picture.captured_at for picture in passed.pictures]
    assert taken == sorted(set(taken))
    assert len(taken) >= 0.8 * 15 * len(begins)
    assert taken[-1] - taken[0] == pytest.approx(3.5, abs=0.2)


def test_pictures_that_come_in_bursts_are_as_far_apart_as_when_they_were_taken() -> None:
    timed = tags(Film(64, 64, times=at_rate(30, 4)).flv())
    bursts = [type(one)(np.floor(one.at * 2 + 1) / 2, one.tag) for one in timed]
    gaps = np.diff([picture.captured_at for picture in Passed().take(bursts).pictures[30:]])
    assert gaps == pytest.approx(1 / 30, abs=0.005)


def test_a_viewer_who_asks_gets_the_last_picture_though_none_comes() -> None:
    passed = Passed().take(tags(Film(64, 64, times=HALF_A_SECOND).flv()))
    before = len(passed.pictures)
    passed.picture_sink.tend(wanted=True, target=None)
    assert len(passed.pictures) == before
    passed.now += 0.3
    passed.picture_sink.tend(wanted=False, target=None)
    assert [picture.key for picture in passed.pictures[before:]] == [True]
    passed.now += 0.3
    passed.picture_sink.tend(wanted=False, target=None)
    assert len(passed.pictures) == before + 1


def test_a_picture_that_stands_still_is_sent_every_two_seconds_until_the_encoder_stops_it() -> None:
    passed = Passed().take(tags(Film(64, 64, times=HALF_A_SECOND).flv()))
    before = len(passed.pictures)
    for _ in range(100):
        passed.now += 0.1
        passed.picture_sink.tend(wanted=False, target=None)
    assert 4 <= len(passed.pictures) - before <= 5
    passed.picture_sink.pause()
    passed.now += 10
    passed.picture_sink.tend(wanted=True, target=None)
    assert len(passed.pictures) - before <= 5


def test_the_last_picture_begins_no_track() -> None:
    """To publish one waits for the event loop, which tends the pictures."""
    passed = Passed().take(tags(Film(64, 64, times=HALF_A_SECOND).flv()))
    assert passed.published
    passed.published = False
    passed.now += 3
    passed.picture_sink.tend(wanted=True, target=None)
    assert not passed.published
    passed.take(tags(Film(64, 64, times=HALF_A_SECOND).flv(), begin=passed.now))
    assert passed.published
    assert next(one for one in passed.pictures if one.captured_at > 3).key


def test_a_request_is_met_by_the_next_picture() -> None:
    passed = Passed()
    passed.take(tags(Film(64, 64, times=HALF_A_SECOND).flv()))
    before = len(passed.pictures)
    passed.picture_sink.tend(wanted=True, target=None)
    passed.take(tags(Film(64, 64, times=HALF_A_SECOND).flv(), begin=0.5))
    assert [picture.key for picture in passed.pictures[before:]] == [True] + [False] * 14


def test_bits_a_second_are_those_wanted_however_many_pictures_come() -> None:
    """Noise takes all the bits that it may have."""
    rates: dict[int, float] = {}
    for rate in (10, 30, 60):
        passed = Passed()
        passed.picture_sink.tend(wanted=False, target=400_000)
        passed.take(tags(Film(160, 96, times=at_rate(rate, 8), noise=True).flv()))
        late = [picture for picture in passed.pictures if picture.captured_at > 4]
        rates[rate] = sum(len(one.data) for one in late) * 8 / 4
    assert all(200_000 < bits < 800_000 for bits in rates.values()), rates
