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
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from services.relay import FLOWING

# Seconds of media that may arrive together, since video and audio are not interleaved exactly.
_TOGETHER = 0.1
# After so long without a burst, media is live.
_NO_BURST = 0.2
# A source that sends faster than real time never gets there; its media is taken as it arrives.
_MAX_WAIT = 3.0


class LiveEdge:
    """Pure. Media that arrived while the room was being connected would stay in the viewers' buffers, which
    take half a minute to shrink by a second.
    """

    def __init__(self) -> None:
        self.reached = False
        self._began: float | None = None
        self._burst_at = 0.0
        self._burst_media = 0.0
        self._offset = 0.0

    def is_live(self, media: float, now: float) -> bool:
        """Whether media of this time in the stream (`media`, seconds) that arrives at `now` is live."""
        if self.reached:
            return True
        if self._began is None:
            self._began = now
            self._mark(media, now)
        elif media - self._burst_media > now - self._burst_at + _TOGETHER:
            self._mark(media, now)
        self.reached = now - self._burst_at >= _NO_BURST or now - self._began >= _MAX_WAIT
        self._offset = now - media
        return self.reached

    def delay(self, media: float, now: float) -> float:
        """Seconds by which media is later than when the live edge was reached."""
        return now - media - self._offset

    def _mark(self, media: float, now: float) -> None:
        self._burst_at, self._burst_media = now, media


_REPORT_SECONDS = 1.0
# Seconds without anything from the encoder, or in which the RTMP server does not answer.
_SILENCE_TIMEOUT = 10.0
_MAX_DELAY = 5.0
_SAMPLE_RATE = 48_000
# 20 ms, what an Opus packet holds.
_FRAME_SAMPLES = 960
_KEYFRAME_SECONDS = 2
_DEFAULT_RATE = Fraction(30)


_Encode: TypeAlias = Callable[[Any], list[Any]]
"""From a decoded frame to packets of the outgoing stream."""


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
        video, audio = incoming.streams.video[:1], incoming.streams.audio[:1]
        if not (video or audio):
            raise NothingToRelay("The encoder sends neither picture nor sound")
        encoders = {stream.index: _video_encoder(stream, outgoing, video_kbps) for stream in video}
        encoders |= {stream.index: _audio_encoder(outgoing) for stream in audio}
        # Connects, which takes a second or more: media that arrives meanwhile is no longer live.
        outgoing.start_encoding()
        live_edge = LiveEdge()
        for packet in incoming.demux([*video, *audio]):
            live = packet.dts is None or _is_live(live_edge, float(packet.dts * packet.time_base))
            # Media that is not passed on is decoded as well: later frames refer to it.
            for frame in packet.decode():
                if live and (packets := encoders[packet.stream.index](frame)):
                    outgoing.mux(packets)
                    yield


def _is_live(live_edge: LiveEdge, media: float) -> bool:
    """Whether media is to be passed on. Raises NothingToRelay if it is so late that only a restart helps."""
    now = time.monotonic()
    if live_edge.reached and live_edge.delay(media, now) > _MAX_DELAY:
        raise NothingToRelay("Media has fallen behind")
    return live_edge.is_live(media, now)


def _video_encoder(source: VideoStream, outgoing: OutputContainer, kbps: int) -> _Encode:
    """Frames keep their time; the encoder decides which become keyframes."""
    rate = source.average_rate or _DEFAULT_RATE
    stream = outgoing.add_stream("libx264", rate=rate)
    stream.width, stream.height = source.width, source.height
    stream.pix_fmt = "yuv420p"
    stream.bit_rate = kbps * 1000
    stream.time_base = source.time_base or Fraction(1, 1000)
    stream.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "g": str(round(rate * _KEYFRAME_SECONDS)),
    }

    def encode(frame: Any) -> list[Any]:
        frame.pict_type = 0
        return stream.encode(frame)

    return encode


def _audio_encoder(outgoing: OutputContainer) -> _Encode:
    stream = outgoing.add_stream("libopus", rate=_SAMPLE_RATE, layout="stereo")
    resampler = av.AudioResampler("s16", "stereo", _SAMPLE_RATE, frame_size=_FRAME_SAMPLES)
    return lambda frame: [packet for part in resampler.resample(frame) for packet in stream.encode(part)]


if __name__ == "__main__":
    sys.exit(main())
