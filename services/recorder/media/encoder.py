"""One H.264 and one AAC encoding, cut into MPEG-TS files that each begin with a keyframe."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from services.recorder.media.audio import CHANNELS, RATE
from shared.egress.engine import EncodingOptions

if TYPE_CHECKING:  # generic for the type checker alone
    from av.stream import Stream

    Packet: TypeAlias = "av.Packet[Stream]"

# Seconds at which timestamps begin: AAC starts a little before, and MPEG-TS has no negative ones.
_BEGIN = 10
_KEYFRAME, _ANY = 1, 0  # FFmpeg's picture types I and none


@dataclass(frozen=True)
class EncodedSegment:
    """A finished file, the number of its first frame, and its duration in seconds."""

    file: Path
    first_frame: int
    duration: float


class SegmentEncoder:
    """For one thread. Calls `path` for the path of each new segment and `done` with each finished one.

    Raises OSError if a file cannot be written, above all on a full disk.
    """

    def __init__(
        self,
        encoding: EncodingOptions,
        preset: str,
        path: Callable[[], Path],
        done: Callable[[EncodedSegment], None],
    ):
        self._rate = encoding.frame_rate
        self._length = encoding.segment_seconds * encoding.frame_rate
        self._path = path
        self._done = done
        self._container, self._video, self._audio = _encoders(encoding, preset)
        self.samples = 0
        """How much audio was added."""
        self._waiting: list[Packet] = []
        self._file: _SegmentFile | None = None
        self._first_of_segment: int | None = None
        self._last = -1

    def add_video(self, frame: av.VideoFrame, number: int) -> None:
        """Encode a frame; numbers only grow, and at a gap in them the frame before is shown for longer."""
        key = self._first_of_segment is None or number >= self._first_of_segment + self._length
        if key:
            self._first_of_segment = number
        frame.pts = number + _BEGIN * self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pict_type = _KEYFRAME if key else _ANY
        self._write(self._video.encode(frame))
        self._last = number

    def add_audio(self, samples: NDArray[np.float32]) -> None:
        """Encode audio, channels by samples, that follows what was added before."""
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = self.samples + _BEGIN * RATE
        frame.time_base = Fraction(1, RATE)
        self.samples += samples.shape[1]
        self._waiting += self._audio.encode(frame)

    def close(self) -> None:
        """Finish the encoding and the last file."""
        self._write(self._video.encode(None))
        self._waiting += self._audio.encode(None)
        self._finish((self._last + 1) / self._rate, everything=True)
        self._container.close()

    def _write(self, packets: "list[Packet]") -> None:
        for packet in packets:
            at = _seconds(packet)
            if packet.is_keyframe or self._file is None:
                self._finish(at - _BEGIN)
                first_frame = round((at - _BEGIN) * self._rate)
                self._file = _SegmentFile(self._path(), first_frame, self._video, self._audio)
            self._file.add(packet, self._file.video)
            self._write_audio(self._file, at)

    def _write_audio(self, file: "_SegmentFile", before: float) -> None:
        """Write the audio up to a moment: no further, since a new file may begin there."""
        ready = [packet for packet in self._waiting if _seconds(packet) < before]
        self._waiting = self._waiting[len(ready) :]
        for packet in ready:
            file.add(packet, file.audio)

    def _finish(self, end: float, *, everything: bool = False) -> None:
        """Close the file, which lasts until `end` seconds from the beginning."""
        if self._file is None:
            return
        self._write_audio(self._file, float("inf") if everything else end + _BEGIN)
        file, self._file = self._file, None
        file.container.close()
        self._done(EncodedSegment(file.path, file.first_frame, end - file.first_frame / self._rate))


class _SegmentFile:
    """One segment being written."""

    def __init__(self, path: Path, first_frame: int, video: av.VideoStream, audio: av.AudioStream):
        self.path = path
        self.first_frame = first_frame
        self.container = av.open(str(path), "w", format="mpegts")
        self.video = self.container.add_stream_from_template(video)
        self.audio = self.container.add_stream_from_template(audio)

    def add(self, packet: "Packet", stream: "Stream") -> None:
        packet.stream = stream
        self.container.mux_one(packet)


def _encoders(
    encoding: EncodingOptions, preset: str
) -> tuple[OutputContainer, av.VideoStream, av.AudioStream]:
    """The encoders belong to a container that is never written to; the files use their parameters."""
    container = av.open("/dev/null", "w", format="mpegts")
    video = container.add_stream("libx264", rate=encoding.frame_rate, options=_x264(encoding, preset))
    video.width, video.height, video.pix_fmt = encoding.width, encoding.height, "yuv420p"
    video.codec_context.time_base = Fraction(1, encoding.frame_rate)
    audio_options = {"b": f"{encoding.audio_kbps}k", "aac_coder": "fast"}
    audio = container.add_stream("aac", rate=RATE, options=audio_options)
    audio.layout = "stereo" if CHANNELS == 2 else "mono"
    container.start_encoding()
    return container, video, audio


def _x264(encoding: EncodingOptions, preset: str) -> dict[str, str]:
    """Constant quality under a limit. Keyframes are where segments begin and nowhere else."""
    return {
        "preset": preset,
        "profile": "main",
        "crf": "23",
        "maxrate": f"{encoding.video_kbps}k",
        "bufsize": f"{2 * encoding.video_kbps}k",
        "g": str(3600 * encoding.frame_rate),
        "sc_threshold": "0",
        "bf": "0",
        "forced-idr": "1",
        "threads": "1",
        "x264-params": "rc-lookahead=0:sync-lookahead=0:mbtree=0:weightp=0",
        "colorspace": "smpte170m",
        "color_range": "tv",
    }


def _seconds(packet: "Packet") -> float:
    return float((packet.pts or 0) * packet.time_base)
