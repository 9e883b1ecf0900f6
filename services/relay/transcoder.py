"""From RTMP to WHIP: encoded anew, since WebRTC has no B-frames and viewers wait for key pictures.

`python -m services.relay.transcoder` is a process of its own: FFmpeg blocks all threads of a process
while it connects by WHIP. It takes a JSON line (`source`, `target`, `video_kbps`), says `flowing` with the
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

_SAID_EVERY = 1.0
# Seconds without anything from the encoder, or in which the RTMP server does not answer.
_SILENCE = 10.0
_BEHIND_AT_MOST = 5.0
_SAMPLE_RATE = 48_000
# 20 ms, what an Opus packet holds.
_FRAME_SAMPLES = 960
_KEYFRAME_SECONDS = 2
_USUAL_RATE = Fraction(30)


class NothingSent(Exception):
    """The encoder sends nothing that could be passed on."""


def main() -> int:
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        said = -_SAID_EVERY
        for _ in _sent(order["source"], order["target"], order["video_kbps"]):
            if time.monotonic() - said >= _SAID_EVERY:
                said = time.monotonic()
                _say(FLOWING)
    except (av.FFmpegError, OSError, NothingSent) as error:
        # Not the whole message: it tells the addresses, and with them the stream key and the token.
        _say(getattr(error, "strerror", None) or str(error))
        return 1
    return 0


def _end_with_input() -> None:
    """Whoever started us is gone."""
    sys.stdin.read()
    os._exit(1)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _sent(source: str, target: str, video_kbps: int) -> Iterator[None]:
    """Pass media on from live on until the source ends; yields whenever something was sent.

    Raises NothingSent, and what FFmpeg raises.
    """
    with av.open(source, timeout=_SILENCE) as incoming, av.open(target, "w", format="whip") as outgoing:
        streams = incoming.streams
        video = _Video(streams.video[0], outgoing, video_kbps) if streams.video else None
        audio = _Audio(outgoing) if streams.audio else None
        if not (video or audio):
            raise NothingSent("The encoder sends neither picture nor sound")
        # Connects, which takes a second or more: what comes meanwhile is no longer live.
        outgoing.start_encoding()
        edge = LiveEdge()
        for packet in incoming.demux([*streams.video[:1], *streams.audio[:1]]):
            live = packet.dts is None or _is_live(edge, float(packet.dts * packet.time_base))
            # What is not passed on is decoded all the same: later pictures refer to it.
            for frame in packet.decode():
                if live and _send(frame, video, audio):
                    yield


def _is_live(edge: LiveEdge, media: float) -> bool:
    """Whether this is to be passed on. Raises NothingSent where it has fallen so far behind that only a new
    beginning helps.
    """
    now = time.monotonic()
    if edge.reached and edge.behind(media, now) > _BEHIND_AT_MOST:
        raise NothingSent("Media has fallen behind")
    return edge.piece(media, now)


def _send(frame: object, video: "_Video | None", audio: "_Audio | None") -> int:
    """How many packets it became."""
    if video is not None and isinstance(frame, VideoFrame):
        return video.send(frame)
    if audio is not None and isinstance(frame, AudioFrame):
        return audio.send(frame)
    return 0


class _Video:
    def __init__(self, source: VideoStream, outgoing: OutputContainer, kbps: int):
        rate = source.average_rate or _USUAL_RATE
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
        """Pictures keep their time; whether one becomes a key picture is decided anew."""
        frame.pict_type = 0
        packets = self._stream.encode(frame)
        self._outgoing.mux(packets)
        return len(packets)


class _Audio:
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
