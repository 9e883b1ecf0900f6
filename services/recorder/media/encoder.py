"""One H.264 and one AAC encoding, cut into MPEG-TS files that each begin with a key picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from services.recorder.media.mixer import CHANNELS, RATE
from shared.egress.engine import EncodingOptions

if TYPE_CHECKING:  # generic for the type checker alone
    from av.packet import Packet as AnyPacket
    from av.stream import Stream

    Packet = AnyPacket[Stream]

# Seconds at which timestamps begin: AAC starts a little before, and MPEG-TS has no negative ones.
_BEGIN = 10
_KEY, _ANY = 1, 0  # FFmpeg's picture types I and none


@dataclass(frozen=True)
class EncodedSegment:
    """A finished file: where, its first picture's number, and how many seconds it lasts."""

    file: Path
    first_picture: int
    duration: float


class SegmentEncoder:
    """For one thread. `name` gives the file for each new segment, `done` is told of each finished one.

    Raises OSError where a file cannot be written, above all on a full disk.
    """

    def __init__(
        self,
        look: EncodingOptions,
        preset: str,
        name: Callable[[], Path],
        done: Callable[[EncodedSegment], None],
    ):
        self._rate = look.frame_rate
        self._length = look.segment_seconds * look.frame_rate
        self._name = name
        self._done = done
        self._home, self._video, self._audio = _encoders(look, preset)
        self._samples = 0
        self._waiting: list[Packet] = []
        self._file: _File | None = None
        self._first_of_segment: int | None = None
        self._last = -1

    def picture(self, frame: av.VideoFrame, number: int) -> None:
        """Encode a picture; numbers only grow, and a hole in them is a picture that stays longer."""
        key = self._first_of_segment is None or number >= self._first_of_segment + self._length
        if key:
            self._first_of_segment = number
        frame.pts = number + _BEGIN * self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pict_type = _KEY if key else _ANY
        for packet in self._video.encode(frame):
            self._take_picture(packet)
        self._last = number

    def sound(self, samples: NDArray[np.float32]) -> None:
        """Encode sound, channels by samples, right after what came before."""
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = self._samples + _BEGIN * RATE
        frame.time_base = Fraction(1, RATE)
        self._samples += samples.shape[1]
        self._waiting += self._audio.encode(frame)

    @property
    def samples(self) -> int:
        """How much sound there was."""
        return self._samples

    def close(self) -> None:
        """Finish what is in hand, the last file included."""
        for packet in self._video.encode(None):
            self._take_picture(packet)
        self._waiting += self._audio.encode(None)
        self._finish((self._last + 1) / self._rate, everything=True)
        self._home.close()

    def _take_picture(self, packet: Packet) -> None:
        if packet.is_keyframe or self._file is None:
            at = _seconds(packet)
            self._finish(at - _BEGIN)
            self._file = _File(self._name(), round((at - _BEGIN) * self._rate), self._video, self._audio)
        self._file.put_picture(packet)
        self._put_sound(_seconds(packet))

    def _put_sound(self, before: float) -> None:
        """Write the sound up to a moment: no further, since a new file may begin there."""
        ready = [packet for packet in self._waiting if _seconds(packet) < before]
        if self._file is not None and ready:
            self._waiting = self._waiting[len(ready) :]
            for packet in ready:
                self._file.put_sound(packet)

    def _finish(self, end: float, *, everything: bool = False) -> None:
        """Close the file, which lasts until `end` seconds from the beginning."""
        if self._file is None:
            return
        self._put_sound(float("inf") if everything else end + _BEGIN)
        file, self._file = self._file, None
        file.close()
        self._done(EncodedSegment(file.path, file.first_picture, end - file.first_picture / self._rate))


class _File:
    """One segment being written."""

    def __init__(self, path: Path, first_picture: int, video: av.VideoStream, audio: av.AudioStream):
        self.path = path
        self.first_picture = first_picture
        self._container = av.open(str(path), "w", format="mpegts")
        self._video = self._container.add_stream_from_template(video)
        self._audio = self._container.add_stream_from_template(audio)

    def put_picture(self, packet: Packet) -> None:
        packet.stream = self._video
        self._container.mux_one(packet)

    def put_sound(self, packet: Packet) -> None:
        packet.stream = self._audio
        self._container.mux_one(packet)

    def close(self) -> None:
        self._container.close()


def _encoders(look: EncodingOptions, preset: str) -> tuple[OutputContainer, av.VideoStream, av.AudioStream]:
    """The encoders belong to a container that is never written to; files are made in their likeness."""
    home = av.open("/dev/null", "w", format="mpegts")
    video = home.add_stream("libx264", rate=look.frame_rate, options=_x264(look, preset))
    video.width, video.height, video.pix_fmt = look.width, look.height, "yuv420p"
    video.codec_context.time_base = Fraction(1, look.frame_rate)
    audio = home.add_stream("aac", rate=RATE, options={"b": f"{look.audio_kbps}k", "aac_coder": "fast"})
    audio.layout = "stereo" if CHANNELS == 2 else "mono"
    home.start_encoding()
    return home, video, audio


def _x264(look: EncodingOptions, preset: str) -> dict[str, str]:
    """Constant quality under a limit. Key pictures come where segments begin and nowhere else."""
    return {
        "preset": preset,
        "profile": "main",
        "crf": "23",
        "maxrate": f"{look.video_kbps}k",
        "bufsize": f"{2 * look.video_kbps}k",
        "g": str(3600 * look.frame_rate),
        "sc_threshold": "0",
        "bf": "0",
        "forced-idr": "1",
        "threads": "1",
        "x264-params": "rc-lookahead=0:sync-lookahead=0:mbtree=0:weightp=0",
        "colorspace": "smpte170m",
        "color_range": "tv",
    }


def _seconds(packet: Packet) -> float:
    return float((packet.pts or 0) * packet.time_base)
