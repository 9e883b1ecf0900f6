"""Pictures of any kind become what WebRTC and our recorder take: upright squares of BT.601, then H.264."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.filter import Graph
from av.video.frame import PictureType

MICROSECOND = Fraction(1, 1_000_000)
# A larger picture is made smaller: no viewer gets more than this, upright or lying.
_LONG_SIDE, _SHORT_SIDE = 1920, 1080
# What libavfilter computes for each picture: square pixels, even sides.
_FACTOR = f"min(1,min({_LONG_SIDE}/max(iw*sar,ih),{_SHORT_SIDE}/min(iw*sar,ih)))"
_SCALE = (
    f"w='max(2,2*round(iw*sar*{_FACTOR}/2))':h='max(2,2*round(ih*{_FACTOR}/2))'"
    ":eval=frame:out_color_matrix=smpte170m:out_range=tv"
)


class PictureFilter:
    """For one thread. Rebuilt by libavfilter whenever a picture's properties are others than those before."""

    def __init__(self) -> None:
        self._shape: tuple[int, int, str, int, int] | None = None
        self._interlaced = False
        self._graph = Graph()

    def apply(self, frame: av.VideoFrame) -> list[av.VideoFrame]:
        """None or more pictures with square pixels."""
        # The scaler itself follows the aspect of pixels, which each picture has with it.
        shape = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range)
        if shape != self._shape or (frame.interlaced_frame and not self._interlaced):
            # Once interlaced it stays so: encoders mix interlaced pictures with whole ones.
            self._shape, self._interlaced = shape, bool(frame.interlaced_frame)
            self._graph = _graph(*shape, interlaced=self._interlaced)
        self._graph.vpush(frame)
        return _pulled(self._graph)


def _graph(width: int, height: int, pixels: str, matrix: int, part: int, *, interlaced: bool) -> Graph:
    graph = Graph()
    source = f"video_size={width}x{height}:pix_fmt={pixels}:colorspace={matrix}:range={part}"
    filters = [graph.add("buffer", f"{source}:time_base=1/1000000")]
    if interlaced:
        filters.append(graph.add("bwdif", "mode=send_frame:deint=interlaced"))
    filters += [graph.add("scale", _SCALE), graph.add("format", "yuv420p"), graph.add("buffersink")]
    graph.link_nodes(*filters).configure()
    return graph


def _pulled(graph: Graph) -> list[av.VideoFrame]:
    pulled = []
    while True:
        try:
            pulled.append(graph.vpull())
        except (av.BlockingIOError, av.EOFError):
            return pulled


@dataclass(frozen=True)
class EncodedPicture:
    """H.264 in Annex B; `captured_at` in seconds on the steady clock. `key`: it needs none before it."""

    data: bytes
    width: int
    height: int
    key: bool
    captured_at: float


# Seconds from one key picture to the next, whatever the rate of pictures: so long does a viewer wait whose
# request for one is lost.
KEY_SECONDS = 2.0
# More pictures than these are left out.
MAX_RATE = 60
# Of pictures whose rate is not known yet; fewer than the least get no more bits each.
_FIRST_RATE, _LEAST_RATE = 30.0, 5.0
# Seconds over which the rate is counted at least.
_COUNTED = 1.0
_ALIKE = 1.25


class PictureEncoder:
    """For one thread at a time. `wanted` asks for a key picture; `target`: the bits a second that may go."""

    def __init__(self, kbps: int):
        self.wanted = False
        self.target = kbps * 1000
        self._most = kbps * 1000
        self._codec: Any = None
        self._rate = _FIRST_RATE
        self._last = self._last_key = float("-inf")
        self._since_key = 0

    def takes(self, captured_at: float) -> bool:
        """Whether a picture of this time is to be encoded: time only goes forward, by a frame at least."""
        return captured_at - self._last > 0.9 / MAX_RATE

    def encode(self, frame: av.VideoFrame, captured_at: float) -> EncodedPicture | None:
        """A picture in yuv420p whose sides are even, of any size."""
        key = self._is_key(frame, captured_at)
        if key:
            self._begin(frame, captured_at)
        frame.pts, frame.time_base = round(captured_at / MICROSECOND), MICROSECOND
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._last = captured_at
        self._since_key += 1
        data = b"".join(bytes(packet) for packet in self._codec.encode(frame))
        return EncodedPicture(data, frame.width, frame.height, key, captured_at) if data else None

    def _is_key(self, frame: av.VideoFrame, now: float) -> bool:
        due = now - self._last_key >= KEY_SECONDS - 0.5 / MAX_RATE
        return due or self.wanted or (self._codec.width, self._codec.height) != (frame.width, frame.height)

    def _begin(self, frame: av.VideoFrame, now: float) -> None:
        """With a new encoder if size, rate or bits have changed: x264 follows none of them."""
        if _COUNTED <= now - self._last_key < float("inf"):
            self._rate = max(_LEAST_RATE, min(MAX_RATE, self._since_key / (now - self._last_key)))
        bits = min(self._most, self.target)
        codec = self._codec
        if not (
            codec is not None
            and (codec.width, codec.height) == (frame.width, frame.height)
            and _are_alike(float(codec.framerate), self._rate)
            and _are_alike(codec.bit_rate, bits)
        ):
            self._codec = _x264(frame.width, frame.height, self._rate, bits)
        self._last_key, self._since_key, self.wanted = now, 0, False


def _are_alike(one: float, other: float) -> bool:
    return one / _ALIKE < other < one * _ALIKE


def _x264(width: int, height: int, rate: float, bit_rate: int) -> Any:
    """Key pictures are those that are asked for and no others."""
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.framerate = MICROSECOND, Fraction(rate).limit_denominator(1000)
    codec.bit_rate = bit_rate
    codec.options = {
        **{"preset": "superfast", "tune": "zerolatency", "profile": "baseline"},
        **{"g": "1000000", "sc_threshold": "0", "forced-idr": "1"},
        **{"maxrate": str(bit_rate), "bufsize": str(bit_rate)},
        **{"colorspace": "smpte170m", "color_range": "tv"},
    }
    return codec
