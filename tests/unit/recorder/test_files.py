"""Segments as they are encoded, and the MP4 that is made of them."""

from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from services.recorder.media.audio import CHANNELS, RATE
from services.recorder.media.encoder import EncodedSegment, SegmentEncoder
from services.recorder.media.frames import Canvas
from services.recorder.media.mp4 import NoMedia, poster, write_mp4
from shared.egress.engine import EncodingOptions
from tests.publishers.reading import read

LOOK = EncodingOptions(width=320, height=180, frame_rate=30, video_kbps=300, segment_seconds=2)
FLASH = 0.1


def film(folder: Path, seconds: float, *, leave_out: range = range(0)) -> list[EncodedSegment]:
    """So many seconds that flash and beep at each whole one, in segments."""
    folder.mkdir(parents=True, exist_ok=True)
    cuts: list[EncodedSegment] = []
    numbers = count()
    encoder = SegmentEncoder(LOOK, "ultrafast", lambda: folder / f"{next(numbers)}.ts", cuts.append)
    canvas = Canvas(LOOK.width, LOOK.height)
    for number in range(round(seconds * LOOK.frame_rate)):
        if number in leave_out:
            continue
        canvas.planes.fill(235 if number / LOOK.frame_rate % 1 < FLASH else 40)
        encoder.add_video(canvas.frame, number)
        encoder.add_audio(_beeps(encoder.samples, (number + 1) * RATE // LOOK.frame_rate))
    encoder.close()
    return cuts


def _beeps(start: int, end: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    at = np.arange(start, end)
    wave = np.where(at % RATE < FLASH * RATE, 0.4 * np.sin(2 * np.pi * 1000 * at / RATE), 0)
    return np.ascontiguousarray(np.tile(wave.astype(np.float32), (CHANNELS, 1)))


def pieces(cuts: list[EncodedSegment]) -> Iterator[bytes]:
    return iter([cut.file.read_bytes() for cut in cuts])


def test_segments_begin_with_a_key_picture_every_two_seconds(tmp_path: Path) -> None:
    cuts = film(tmp_path, 7.0)
    assert [cut.first_frame for cut in cuts] == [0, 60, 120, 180]
    assert [cut.duration for cut in cuts] == pytest.approx([2.0, 2.0, 2.0, 1.0])
    for cut in cuts:
        with av.open(str(cut.file), "r") as container:
            keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
        assert keys[0]
        assert sum(keys) == 1
        assert len(keys) == round(cut.duration * LOOK.frame_rate)


def test_timestamps_carry_on_from_segment_to_segment(tmp_path: Path) -> None:
    found = read(cut.file for cut in film(tmp_path, 6.0))
    assert max(after - before for before, after in pairwise(found.pictures)) == pytest.approx(
        1 / 30, abs=0.001
    )
    assert len(found.pictures) == 180
    assert [round(offset, 2) for offset in found.offsets] == pytest.approx([0.0] * 6, abs=0.02)


def test_each_file_can_be_read_by_itself(tmp_path: Path) -> None:
    for cut in film(tmp_path, 4.0):
        found = read([cut.file])
        assert len(found.pictures) == 60
        assert len(found.sounds) > 90


def test_a_picture_that_is_left_out_makes_the_one_before_last(tmp_path: Path) -> None:
    cuts = film(tmp_path, 6.0, leave_out=range(50, 70))
    assert [cut.first_frame for cut in cuts] == [0, 70, 130]
    assert sum(cut.duration for cut in cuts) == pytest.approx(6.0)


def test_the_file_holds_what_the_segments_hold(tmp_path: Path) -> None:
    cuts = film(tmp_path / "ts", 6.0)
    target = tmp_path / "file.mp4"
    assert write_mp4(target, [pieces(cuts)]) == pytest.approx(6.0, abs=0.1)
    found = read([target])
    assert len(found.pictures) == 180
    assert found.offsets == pytest.approx([0.0] * 6, abs=0.04)
    with av.open(str(target), "r") as container:
        assert {stream.codec_context.name for stream in container.streams} == {"h264", "aac"}
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(6.0, abs=0.1)
    content = target.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_parts_are_joined_without_a_hole(tmp_path: Path) -> None:
    first, second = film(tmp_path / "1", 4.0), film(tmp_path / "2", 3.0)
    target = tmp_path / "file.mp4"
    assert write_mp4(target, [pieces(first), pieces(second)]) == pytest.approx(7.0, abs=0.15)
    found = read([target])
    steps = [after - before for before, after in pairwise(found.pictures)]
    assert min(steps) > 0
    assert max(steps) < 0.1
    assert len(found.pictures) == 210
    assert found.offsets == pytest.approx([0.0] * 7, abs=0.06)


def test_nothing_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoMedia):
        write_mp4(tmp_path / "file.mp4", [])


def test_what_is_no_segment_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises((NoMedia, av.FFmpegError)):
        write_mp4(tmp_path / "file.mp4", [iter([b"not a transport stream" * 1000])])


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    cuts: list[EncodedSegment] = []
    encoder = SegmentEncoder(LOOK, "ultrafast", lambda: Path("/dev/full"), cuts.append)
    canvas = Canvas(LOOK.width, LOOK.height)

    def film_noise() -> None:
        for number in range(200):
            canvas.planes.y[:] = np.random.default_rng(number).integers(16, 235, canvas.planes.y.shape)
            encoder.add_video(canvas.frame, number)

    with pytest.raises(OSError, match="No space left"):
        film_noise()


def test_a_poster_is_a_small_jpeg(tmp_path: Path) -> None:
    picture = poster(film(tmp_path, 2.0)[0].file.read_bytes())
    assert picture is not None
    assert picture[:2] == b"\xff\xd8"
