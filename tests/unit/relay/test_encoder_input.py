"""Tracks of an encoder begin, end, change their codec and break at any time."""

from collections.abc import Iterator
from itertools import count
from queue import SimpleQueue
from threading import Semaphore, current_thread
from typing import Any

import av
import pytest

from services.relay.media import picture, sound, track_reader
from services.relay.media.encoder_input import EncoderInput, NothingToRelay
from services.relay.media.flv import FlvSplitter, NotFlv
from services.relay.media.track_reader import FallenBehind
from tests.unit.relay.films import Film, Passed, TimedTag, Tone, at_rate, tags

FILE_HEADER = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"
HEVC = (("preset", "ultrafast"), ("x265-params", "log-level=none:bframes=0"))
SMALL = Film(64, 64)


class Lockstep(SimpleQueue[Any]):
    """Whoever puts something waits until it is done with: until more is asked for, or never will be."""

    def __init__(self) -> None:
        self._asks, self._taker = Semaphore(0), current_thread()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        self._taker = current_thread()
        self._asks.release()
        return super().get(block, timeout)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        self._await_asking()
        super().put(item, block, timeout)
        if item is not None:
            self._await_asking()
            self._asks.release()

    def _await_asking(self) -> None:
        while self._taker.is_alive() and not self._asks.acquire(timeout=0.01):
            pass


class FakeEncoder:
    """What it sends is decoded by threads; to these time passes as its tags say."""

    def __init__(self) -> None:
        self.passed = Passed()
        self.failed: list[Exception] = []
        self.problems: set[str | None] = set()
        """Of all times after a tag and before the next."""
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
            self.passed.now = max(self.passed.now, one.at - 0.001)
            self.problems.add(self.input.report()["problem"])
            self.passed.now = one.at
            yield one.tag.data
            self.problems.add(self.input.report()["problem"])


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    monkeypatch.setattr(track_reader, "SimpleQueue", Lockstep)
    return FakeEncoder()


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


def test_sound_that_begins_twelve_seconds_after_the_picture_is_passed_on(encoder: FakeEncoder) -> None:
    film = Film(64, 64, times=at_rate(10, 14))
    encoder.send(*tags(film.flv()), *tags(Tone().flv(), begin=12))
    assert encoder.passed.seconds_of_sound == pytest.approx(1.0, abs=0.1)
    assert encoder.passed.loudness(0.2, 0.8)[0] > 0.2
    assert encoder.passed.pictures


def test_a_picture_that_begins_after_the_sound_is_passed_on(encoder: FakeEncoder) -> None:
    encoder.send(*tags(Tone(seconds=3).flv()), *tags(SMALL.flv(), begin=2))
    assert encoder.passed.pictures[0].key
    assert encoder.passed.seconds_of_sound == pytest.approx(3.0, abs=0.1)


def test_another_codec_in_the_same_stream_is_another_track(encoder: FakeEncoder) -> None:
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


def test_what_is_sent_is_reported_and_what_is_not(encoder: FakeEncoder) -> None:
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
def test_a_picture_that_nobody_gets_is_said_and_the_sound_goes_on(encoder: FakeEncoder, broken: str) -> None:
    film = Film(64, 64, codec="libx265", options=HEVC, times=at_rate(5, 8))
    fourcc = b"zzz1" if broken == "codec" else None
    encoder.send(*corrupt(tags(film.flv()), fourcc=fourcc), *tags(Tone(seconds=8).flv()))
    assert encoder.passed.pictures == []
    assert encoder.passed.seconds_of_sound == pytest.approx(8.0, abs=0.1)
    named = "zzz1" if broken == "codec" else "hevc"
    assert encoder.input.report()["problem"] == f"The encoder's picture cannot be decoded ({named})"


def test_a_picture_of_which_nothing_has_been_passed_on_yet_has_no_size(encoder: FakeEncoder) -> None:
    """After one that was passed on, too."""
    foreign = corrupt(tags(Film(64, 64, codec="libx265", options=HEVC).flv(), begin=1), fourcc=b"zzz1")
    encoder.send(*tags(SMALL.flv()), *foreign)
    assert encoder.passed.pictures
    assert encoder.input.report()["video"] == {"codec": "zzz1", "width": 0, "height": 0}


def test_sound_that_nobody_gets_is_said(encoder: FakeEncoder) -> None:
    sound = corrupt(tags(Tone(codec="libopus", rate=48_000, seconds=8).flv()), fourcc=b"zzz2")
    encoder.send(*tags(Film(64, 64, times=at_rate(5, 8)).flv()), *sound)
    assert encoder.input.report()["problem"] == "The encoder's sound cannot be decoded (zzz2)"


def test_broken_frames_in_between_are_left_out(encoder: FakeEncoder) -> None:
    film = tags(Film(64, 64, times=at_rate(30, 3), options=(("preset", "ultrafast"), ("g", "15"))).flv())
    encoder.send(*film[:30], *corrupt(film[30:40]), *film[40:])
    assert encoder.input.report()["problem"] is None
    assert encoder.passed.pictures


def h264(gop: int, rate: float = 5, seconds: float = 30) -> list[TimedTag]:
    """As many pictures from one key picture to the next."""
    options = (("preset", "ultrafast"), ("bf", "0"), ("g", str(gop)), ("sc_threshold", "0"))
    return tags(Film(64, 64, times=at_rate(rate, seconds), options=options).flv())


def heard_from(film: list[TimedTag], at: float) -> list[TimedTag]:
    """As the RTMP server plays to who comes later: the decoder's header first."""
    header = next(one for one in film if one.tag.is_header)
    return [TimedTag(at, header.tag), *(one for one in film if one.at > at)]


@pytest.mark.parametrize(("gop", "shown_at"), [(50, 10), (75, 15)])
def test_a_picture_heard_from_its_middle_is_shown_from_its_next_key_picture_on(
    encoder: FakeEncoder, gop: int, shown_at: float
) -> None:
    encoder.passed.now = 2.0
    encoder.send(*heard_from(h264(gop), 2.0))
    assert encoder.passed.pictures[0].captured_at == pytest.approx(shown_at, abs=0.1)
    assert len(encoder.passed.pictures) == pytest.approx(5 * (30 - shown_at), abs=2)
    assert encoder.problems == {None}


def test_one_whose_key_pictures_never_come_has_to_start_again(encoder: FakeEncoder) -> None:
    encoder.passed.now = 1.0
    encoder.send(*heard_from(h264(10_000, seconds=34), 1.0))
    assert encoder.passed.pictures == []
    assert encoder.problems == {None, "The encoder's picture cannot be decoded (h264)"}


def test_one_whose_header_was_missed_is_told_by_its_first_key_picture(encoder: FakeEncoder) -> None:
    hevc = Film(64, 64, codec="libx265", options=HEVC, times=at_rate(5, 8))
    encoder.send(*(one for one in tags(hevc.flv()) if not one.tag.is_header))
    assert encoder.problems == {None, "The encoder's picture cannot be decoded (hevc)"}


@pytest.mark.parametrize("reordered", ["0", "3"])
@pytest.mark.parametrize("apart", [6, 9])
def test_pictures_may_be_far_apart(encoder: FakeEncoder, apart: int, reordered: str) -> None:
    times = tuple(float(apart * n) for n in range(12))
    options = (("preset", "ultrafast"), ("bf", reordered), ("g", "4"))
    encoder.send(*tags(Film(64, 64, times=times, options=options).flv()))
    assert encoder.problems == {None}
    assert len(encoder.passed.pictures) >= 9


CUT_OFF = (
    *(b"\x17", b"\x17\0", b"\x27\1", b"\x27\1\0\0", b"\xa1hvc1\0", b"\xa1hvc", b"\xa7\2\0\0\0\1hvc1\0"),
    *(
        b"\xa6\1hvc1\0\0",
        b"\x17\2",
        b"\x37\x09\1",
        b"\x22\0\0",
        b"\xd0\xff",
        b"\x97",
        b"\x96\0",
        b"\xa3zzz9?",
    ),
)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_tag_that_is_cut_off_or_foreign_is_left_out_and_the_track_goes_on(
    encoder: FakeEncoder, codec: str
) -> None:
    options = (
        (("g", "5"), ("bf", "0")) if codec == "libx264" else (HEVC[0], (HEVC[1][0], HEVC[1][1] + ":keyint=5"))
    )
    film = tags(Film(64, 64, codec=codec, options=options, times=at_rate(5, 34)).flv())
    for n, body in enumerate(CUT_OFF):
        film += [TimedTag(1.1 + 2 * n, one) for one in FlvSplitter().feed(tag(9, body))]
    encoder.send(*film)
    assert encoder.problems == {None}
    assert len(encoder.passed.pictures) > 120
    assert encoder.passed.pictures[-1].captured_at > 33


def test_sound_that_is_cut_off_is_left_out_and_the_rest_goes_on(encoder: FakeEncoder) -> None:
    sound = tags(Tone(seconds=8).flv())
    for n, body in enumerate(
        (b"\xaf", b"\xaf\0", b"\xaf\1", b"\xaf\1\xff\xff", b"\x2f", b"\x2f\xff", b"\x9f")
    ):
        sound += [TimedTag(1.01 + n, one) for one in FlvSplitter().feed(tag(8, body))]
    encoder.send(*sound)
    assert encoder.passed.seconds_of_sound == pytest.approx(8.0, abs=0.5)
    assert encoder.problems == {None}


def test_a_track_that_ffmpeg_does_not_get_on_with_starts_again_with_its_header(
    encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = track_reader._decoded
    packets = count()

    def fails_once(packet: Any) -> Any:
        if next(packets) == 7:
            raise av.InvalidDataError(1, "what nobody has thought of")
        return decoded(packet)

    monkeypatch.setattr(track_reader, "_decoded", fails_once)
    encoder.send(*h264(gop=10, seconds=8))
    assert encoder.problems == {None}
    assert len(encoder.passed.pictures) == pytest.approx(7 + 30, abs=1)


def test_a_codec_that_changes_all_the_time_is_an_end(encoder: FakeEncoder) -> None:
    foreign = [
        TimedTag(2.03 + n / 20, one)
        for n in range(20)
        for one in FlvSplitter().feed(tag(9, b"\x22\0\0\0\0\0\0"))
    ]
    with pytest.raises(NothingToRelay, match="starts again all the time"):
        encoder.send(*h264(gop=1, rate=20, seconds=4), *foreign)
    assert 2 <= encoder.passed.now < 3


@pytest.mark.parametrize("kind", ["picture", "sound"])
def test_what_cannot_be_made_alike_is_left_out_and_the_rest_goes_on(
    encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    module = {"picture": picture, "sound": sound}[kind]
    graph, made = module._graph, count()

    def fails_once(*shape: Any, **how: Any) -> Any:
        if next(made) == 0:
            raise av.InvalidDataError(1, "no such filter")
        return graph(*shape, **how)

    monkeypatch.setattr(module, "_graph", fails_once)
    encoder.send(*tags(SMALL.flv()), *tags(Tone().flv()))
    assert len(encoder.passed.pictures) == 30 - (kind == "picture")
    assert encoder.passed.seconds_of_sound == pytest.approx(1.0, abs=0.1)


def test_an_encoder_that_sends_nothing_has_nothing_to_relay(encoder: FakeEncoder) -> None:
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
