"""An encoder that sends what ffmpeg cannot: `python -m tests.e2e.rtmp_encoder <kind> <url>`, FLV tag by tag.

`turning` turns every ten seconds; `hevc` sends HEVC by enhanced RTMP, and has sound after ten. Each goes on
until it is sent away, for two minutes at most.
"""

import sys
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import av

from tests.unit.relay.films import Film, TimedTag, Tone, at_rate, tags

RATE, LATER, LASTS = 5, 10.0, 120.0
HEVC = (("preset", "ultrafast"), ("x265-params", "log-level=none:bframes=0:keyint=50"))
HEADER = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"


def turning() -> Iterable[TimedTag]:
    """Upright first."""
    sent = tags(Tone(seconds=LASTS).flv())
    shapes = [Film(*size, times=at_rate(RATE, LATER)).flv() for size in ((216, 384), (384, 216))]
    for n in range(round(LASTS / LATER)):
        sent += tags(shapes[n % 2], begin=n * LATER)
    return sent


def hevc() -> Iterable[TimedTag]:
    film = Film(384, 216, codec="libx265", options=HEVC, times=at_rate(RATE, LASTS))
    return [*tags(film.flv()), *tags(Tone(seconds=LASTS - LATER).flv(), begin=LATER)]


KINDS: dict[str, Callable[[], Iterable[TimedTag]]] = {"turning": turning, "hevc": hevc}


def send(timed: Iterable[TimedTag], url: str) -> None:
    """FFmpeg's RTMP takes the bytes of a file; each tag goes when it is due."""
    with av.open(url, "w", format="data") as out:
        stream: Any = out.add_data_stream()
        _write(out, stream, HEADER)
        began = time.monotonic()
        for one in sorted(timed, key=lambda one: one.at):
            time.sleep(max(0.0, began + one.at - time.monotonic()))
            _write(out, stream, one.tag.data)


def _write(out: Any, stream: Any, data: bytes) -> None:
    packet: Any = av.Packet(data)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = round(time.monotonic() * 1000)
    out.mux_one(packet)


if __name__ == "__main__":
    kind, url = sys.argv[1:]
    send(KINDS[kind](), url)
