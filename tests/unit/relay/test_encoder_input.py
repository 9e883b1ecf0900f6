"""Tracks of an encoder begin, end, change their codec and break at any time."""

from collections.abc import Iterator
from itertools import count

import pytest

from services.relay.media.encoder_input import EncoderInput, NothingToRelay
from services.relay.media.flv import FlvSplitter, NotFlv
from services.relay.media.track_reader import FallenBehind
from tests.unit.relay.films import Film, Passed, TimedTag, Tone, at_rate, tags

FILE_HEADER = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"
HEVC = (("preset", "ultrafast"), ("x265-params", "log-level=none:bframes=0"))
SMALL = Film(64, 64)


class FakeEncoder:
    """What it sends is decoded by threads, as fast as they can; to these time passes with each frame."""

    def __init__(self) -> None:
        frames = count()
        self.passed = Passed(lambda: next(frames) / 20)
        self.failed: list[Exception] = []
        self.input = EncoderInput(
            self.passed.picture_sink, self.passed.sound_sink, self.failed.append, lambda: self.passed.now
        )

    def send(self, *timed: TimedTag) -> None:
        """And end."""
        self.input.read(self._flv(timed))
        assert self.failed == []

    def _flv(self, timed: tuple[TimedTag, ...]) -> Iterator[bytes]:
        yield FILE_HEADER
        for one in sorted(timed, key=lambda one: one.at):
            self.passed.now = one.at
            yield one.tag.data


def corrupt(timed: list[TimedTag], *, fourcc: bytes | None = None) -> list[TimedTag]:
    """With nonsense for frames; or of a codec that nobody knows."""
    broken = []
    for one in timed:
        data = one.tag.data
        if fourcc is not None:
            data = data[:12] + fourcc + data[16:]
        else:
            data = data[:16] + b"\xff" * (len(data) - 20) + data[-4:]
        [tag] = FlvSplitter().feed(FILE_HEADER + data)
        broken.append(TimedTag(one.at, tag))
    return broken


def test_sound_that_begins_twelve_seconds_after_the_picture_is_passed_on() -> None:
    encoder = FakeEncoder()
    film = Film(64, 64, times=at_rate(10, 14))
    encoder.send(*tags(film.flv()), *tags(Tone().flv(), begin=12))
    assert encoder.passed.seconds_of_sound == pytest.approx(1.0, abs=0.1)
    assert encoder.passed.loudness(0.2, 0.8)[0] > 0.2
    assert encoder.passed.pictures


def test_a_picture_that_begins_after_the_sound_is_passed_on() -> None:
    encoder = FakeEncoder()
    encoder.send(*tags(Tone(seconds=3).flv()), *tags(SMALL.flv(), begin=2))
    assert encoder.passed.pictures[0].key
    assert encoder.passed.seconds_of_sound == pytest.approx(3.0, abs=0.1)


def test_another_codec_in_the_same_stream_is_another_track() -> None:
    encoder = FakeEncoder()
    hevc = Film(96, 64, codec="libx265", options=HEVC)
    encoder.send(
        *(*tags(SMALL.flv()), *tags(hevc.flv(), begin=1), *tags(SMALL.flv(), begin=2)),
        *(*tags(Tone().flv()), *tags(Tone(codec="libmp3lame").flv(), begin=1)),
    )
    assert {(one.width, one.height) for one in encoder.passed.pictures} == {(64, 64), (96, 64)}
    assert encoder.passed.pictures[-1].width == 64
    assert encoder.passed.picture_sink.codec == "h264"
    assert encoder.passed.sound_sink.codec == "mp3"
    assert encoder.passed.seconds_of_sound == pytest.approx(2.0, abs=0.2)


def test_what_is_sent_is_reported_and_what_is_not() -> None:
    encoder = FakeEncoder()
    assert encoder.input.report() == {"video": None, "audio": None, "problem": None}
    encoder.send(*tags(SMALL.flv()))
    assert encoder.input.report() == {
        "video": {"codec": "h264", "width": 64, "height": 64},
        "audio": None,
        "problem": None,
    }
    encoder.passed.now += 11
    assert encoder.input.report()["video"] is None


@pytest.mark.parametrize("broken", ["frames", "codec"])
def test_a_picture_that_nobody_gets_is_said_and_the_sound_goes_on(broken: str) -> None:
    encoder = FakeEncoder()
    film = Film(64, 64, codec="libx265", options=HEVC, times=at_rate(5, 8))
    fourcc = b"zzz1" if broken == "codec" else None
    encoder.send(*corrupt(tags(film.flv()), fourcc=fourcc), *tags(Tone(seconds=8).flv()))
    assert encoder.passed.pictures == []
    assert encoder.passed.seconds_of_sound == pytest.approx(8.0, abs=0.1)
    named = "zzz1" if broken == "codec" else "hevc"
    assert encoder.input.report()["problem"] == f"The encoder's picture cannot be decoded ({named})"


def test_sound_that_nobody_gets_is_said() -> None:
    encoder = FakeEncoder()
    sound = corrupt(tags(Tone(codec="libopus", rate=48_000, seconds=8).flv()), fourcc=b"zzz2")
    encoder.send(*tags(Film(64, 64, times=at_rate(5, 8)).flv()), *sound)
    assert encoder.input.report()["problem"] == "The encoder's sound cannot be decoded (zzz2)"


def test_broken_frames_in_between_are_left_out() -> None:
    encoder = FakeEncoder()
    film = tags(Film(64, 64, times=at_rate(30, 3), options=(("preset", "ultrafast"), ("g", "15"))).flv())
    encoder.send(*film[:30], *corrupt(film[30:40]), *film[40:])
    assert encoder.input.report()["problem"] is None
    assert encoder.passed.pictures


def test_an_encoder_that_sends_nothing_has_nothing_to_relay() -> None:
    encoder = FakeEncoder()
    with pytest.raises(NothingToRelay):
        encoder.send()
    with pytest.raises(NotFlv):
        encoder.input.read(iter([b"HTTP/1.1 404 Not Found\r\n"]))


def test_tags_come_in_pieces_of_any_size() -> None:
    flv = SMALL.flv()
    whole = list(FlvSplitter().feed(flv))
    splitter = FlvSplitter()
    assert [tag for at in range(0, len(flv), 7) for tag in splitter.feed(flv[at : at + 7])] == whole
    assert {(tag.kind, tag.codec) for tag in whole} == {("video", "7")}


def tag(kind: int, body: bytes) -> bytes:
    head = bytes((kind,)) + len(body).to_bytes(3, "big") + bytes(7)
    return FILE_HEADER + head + body + (len(head) + len(body)).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("body", "codec"),
    [
        (b"\x90hvc1\0", "hvc1"),
        (b"\x96\x00hvc1\0picture", "hvc1"),  # one track of several
        (b"\x96\x00hvc1\x01picture", None),  # the second
        (b"\x97\x02\0\0\x01\x03av01picture", "av01"),  # with nanoseconds
        (b"\x17\0\0\0\0", "7"),
        (b"\x97\x02\0\0", None),
    ],
)
def test_enhanced_rtmp_names_the_codec(body: bytes, codec: str | None) -> None:
    found = [one.codec for one in FlvSplitter().feed(tag(9, body))]
    assert found == ([codec] if codec is not None else [])


def test_what_has_waited_is_left_out_and_too_long_a_wait_is_the_end() -> None:
    """The third film was read two seconds after it came, the fourth ten."""
    passed = Passed()
    film = Film(64, 64, times=at_rate(10, 1)).flv()
    for waited, pictures in ((0.0, 10), (0.1, 20), (2.0, 20), (0.0, 30)):
        passed.take(tags(film, begin=passed.now + 0.1), waited=waited)
        assert len(passed.pictures) == pytest.approx(pictures, abs=5)
    with pytest.raises(FallenBehind):
        passed.take(tags(film, begin=passed.now + 0.1), waited=10.0)
