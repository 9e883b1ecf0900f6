"""From RTMP to WHIP, re-encoded: WebRTC has no B-frames, and viewers wait for keyframes.

`python -m services.relay.transcoder` is a process of its own: FFmpeg blocks all threads of a process
while it connects by WHIP. It reads a JSON line (`source`, `target`, `video_kbps`), prints `flowing` with the
first packet that is sent and every second while more are, and ends with its source, with an error in
one line, or with its standard input.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.relay.live_edge import LiveEdge
from services.relay.transcoder_process import FLOWING

_REPORT_SECONDS = 1.0
# Seconds without anything from the encoder, or in which the RTMP server does not answer.
_SILENCE_TIMEOUT = 10.0
_MAX_DELAY = 5.0
_SAMPLE_RATE = 48_000
# 20 ms, what an Opus packet holds.
_FRAME_SAMPLES = 960
_KEYFRAME_SECONDS = 2
_DEFAULT_RATE = Fraction(30)


class NothingToRelay(Exception):
    """The encoder sends no media that could be passed on."""


def main() -> int:
    arguments = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        reported_at = -_REPORT_SECONDS
        for _ in _transcode(**arguments):
            if time.monotonic() - reported_at >= _REPORT_SECONDS:
                reported_at = time.monotonic()
                _print(FLOWING)
    except (av.FFmpegError, OSError, NothingToRelay) as error:
        # Not the whole message: it contains the addresses, and with them the stream key and the token.
        _print(getattr(error, "strerror", None) or str(error))
        return 1
    return 0


def _end_with_input() -> None:
    """The process that started us is gone."""
    sys.stdin.read()
    os._exit(1)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _transcode(source: str, target: str, video_kbps: int) -> Iterator[None]:
    """Pass media on, from the live edge until the source ends; yields whenever something was sent.

    Raises NothingToRelay, and what FFmpeg raises.
    """
    with (
        av.open(source, timeout=_SILENCE_TIMEOUT) as incoming,
        av.open(target, "w", format="whip") as outgoing,
    ):
        streams = incoming.streams
        video = _VideoEncoder(streams.video[0], outgoing, video_kbps) if streams.video else None
        audio = _AudioEncoder(outgoing) if streams.audio else None
        if not (video or audio):
            raise NothingToRelay("The encoder sends neither picture nor sound")
        # Connects, which takes a second or more: media that arrives meanwhile is no longer live.
        outgoing.start_encoding()
        edge = LiveEdge()
        for packet in incoming.demux([*streams.video[:1], *streams.audio[:1]]):
            live = packet.dts is None or _is_live(edge, float(packet.dts * packet.time_base))
            # Media that is not passed on is decoded as well: later frames refer to it.
            for frame in packet.decode():
                if live and _send(frame, video, audio):
                    yield


def _is_live(edge: LiveEdge, media: float) -> bool:
    """Whether media is to be passed on. Raises NothingToRelay if it is so late that only a restart helps."""
    now = time.monotonic()
    if edge.reached and edge.delay(media, now) > _MAX_DELAY:
        raise NothingToRelay("Media has fallen behind")
    return edge.is_live(media, now)


def _send(frame: object, video: "_VideoEncoder | None", audio: "_AudioEncoder | None") -> int:
    """The number of packets sent."""
    if video is not None and isinstance(frame, VideoFrame):
        return video.send(frame)
    if audio is not None and isinstance(frame, AudioFrame):
        return audio.send(frame)
    return 0


class _VideoEncoder:
    def __init__(self, source: VideoStream, outgoing: OutputContainer, kbps: int):
        rate = source.average_rate or _DEFAULT_RATE
        self._outgoing = outgoing
        self._stream = outgoing.add_stream("libx264", rate=rate)
        self._stream.width, self._stream.height = source.width, source.height
        self._stream.pix_fmt = "yuv420p"
        self._stream.bit_rate = kbps * 1000
        self._stream.time_base = source.time_base or Fraction(1, 1000)
        self._stream.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "g": str(round(rate * _KEYFRAME_SECONDS)),
        }

    def send(self, frame: VideoFrame) -> int:
        """Frames keep their time; the encoder decides which become keyframes."""
        frame.pict_type = 0
        packets = self._stream.encode(frame)
        self._outgoing.mux(packets)
        return len(packets)


class _AudioEncoder:
    def __init__(self, outgoing: OutputContainer):
        self._outgoing = outgoing
        self._stream: AudioStream = outgoing.add_stream("libopus", rate=_SAMPLE_RATE, layout="stereo")
        self._resampler = av.AudioResampler("s16", "stereo", _SAMPLE_RATE, frame_size=_FRAME_SAMPLES)

    def send(self, frame: AudioFrame) -> int:
        sent = 0
        for part in self._resampler.resample(frame):
            packets = self._stream.encode(part)
            self._outgoing.mux(packets)
            sent += len(packets)
        return sent


if __name__ == "__main__":
    sys.exit(main())
