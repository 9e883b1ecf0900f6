"""What encoders send, made with FFmpeg: pieces of FLV that differ in every property, one behind the other."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

from services.relay.media.flv import FlvSplitter, FlvTag, Kind
from services.relay.media.picture import EncodedPicture
from services.relay.media.sinks import Clock, PictureSink, SoundSink
from services.relay.media.sound import CHANNELS, RATE
from services.relay.media.track_reader import TagPipe, decode

DARK, BRIGHT = 40, 220
X264 = (("preset", "ultrafast"), ("bf", "2"), ("g", "1000"))


def at_rate(rate: float, seconds: float, begin: float = 0.0) -> tuple[float, ...]:
    """When pictures are taken."""
    return tuple(begin + n / rate for n in range(round(seconds * rate)))


@dataclass(frozen=True)
class Film:
    """Pictures of a bright square (as shown, not as stored) in the middle, half as high as the picture."""

    width: int = 320
    height: int = 180
    aspect: Fraction = Fraction(1)
    codec: str = "libx264"
    pixels: str = "yuv420p"
    declared: int = 30
    times: Sequence[float] = at_rate(30, 1)
    options: Sequence[tuple[str, str]] = X264
    colour: tuple[int, int, int] = (BRIGHT, BRIGHT, BRIGHT)
    matrix: tuple[str, str] | None = None
    """The colours' matrix and range, where they are declared."""
    noise: bool = False
    """Nothing but noise, another in each picture."""

    def flv(self) -> bytes:
        out = io.BytesIO()
        with av.open(out, "w", format="flv") as container:
            declared = dict(zip(("colorspace", "color_range"), self.matrix or (), strict=False))
            options = dict(self.options) | declared
            stream: Any = container.add_stream(self.codec, rate=self.declared, options=options)
            stream.width, stream.height, stream.pix_fmt = self.width, self.height, self.pixels
            stream.codec_context.sample_aspect_ratio = self.aspect
            stream.codec_context.time_base = Fraction(1, 1000)
            picture = self._picture()
            noise = np.random.default_rng(1)
            for time in self.times:
                if self.noise:
                    memoryview(picture.planes[0])[:] = noise.bytes(picture.planes[0].buffer_size)
                picture.pts, picture.time_base, picture.pict_type = round(time * 1000), Fraction(1, 1000), 0
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        return out.getvalue()

    def _picture(self) -> av.VideoFrame:
        drawn = np.full((self.height, self.width, 3), DARK, np.uint8)
        side, stored = self.height // 2, round(self.height // 2 / self.aspect)
        top, left = self.height // 4, (self.width - stored) // 2
        drawn[top : top + side, left : left + stored] = self.colour
        matrix, full = self.matrix or ("smpte170m", "tv")
        return av.VideoFrame.from_ndarray(drawn, "rgb24").reformat(
            format=self.pixels,
            dst_colorspace={"smpte170m": "ITU601", "bt709": "ITU709"}[matrix],
            dst_color_range={"tv": "MPEG", "pc": "JPEG"}[full],
        )


@dataclass(frozen=True)
class Tone:
    """A tone on the first channel, silence on the others."""

    rate: int = 44_100
    layout: str = "mono"
    codec: str = "aac"
    seconds: float = 1.0
    hertz: int = 440

    def flv(self) -> bytes:
        out = io.BytesIO()
        with av.open(out, "w", format="flv") as container:
            stream: Any = container.add_stream(self.codec, rate=self.rate)
            stream.layout = self.layout
            context = stream.codec_context
            resampler = av.AudioResampler(context.format, self.layout, self.rate, context.frame_size or 1024)
            wave = self._wave(context.layout.nb_channels)
            for part in [*resampler.resample(wave), *resampler.resample(None), None]:
                container.mux(stream.encode(part))
        return out.getvalue()

    def _wave(self, channels: int) -> av.AudioFrame:
        wave = np.zeros((channels, round(self.seconds * self.rate)), np.float32)
        wave[0] = 0.5 * np.sin(2 * np.pi * self.hertz * np.arange(wave.shape[1]) / self.rate)
        frame = av.AudioFrame.from_ndarray(wave, "fltp", self.layout)
        frame.sample_rate, frame.pts = self.rate, 0
        return frame


@dataclass(frozen=True)
class TimedTag:
    """A tag, and when it is sent, in seconds."""

    at: float
    tag: FlvTag


def tags(flv: bytes, *, begin: float = 0.0, sent_at: float | None = None) -> list[TimedTag]:
    """The tags of one file with timestamps from `begin` on, and sent from then on, or from `sent_at`."""
    shifted = []
    for tag in FlvSplitter().feed(flv):
        milliseconds = int.from_bytes(tag.data[7:8] + tag.data[4:7], "big") + round(begin * 1000)
        stamp = milliseconds.to_bytes(4, "big")
        data = tag.data[:4] + stamp[1:] + stamp[:1] + tag.data[8:]
        late = 0.0 if sent_at is None else sent_at - begin
        shifted.append(TimedTag(milliseconds / 1000 + late, FlvTag(tag.kind, tag.codec, data)))
    return shifted


def in_a_row(*pieces: Film | Tone) -> list[TimedTag]:
    """Each begins where the one before ends."""
    row: list[TimedTag] = []
    for piece in pieces:
        row += tags(piece.flv(), begin=row[-1].at + 1 / 30 if row else 0.0)
    return row


class Passed:
    """What has been passed on of what an encoder sent; time passes as its tags say, or `clock`."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.now = 0.0
        self.published = False
        self.pictures: list[EncodedPicture] = []
        self.pieces: list[bytes] = []
        self.picture_sink = PictureSink(3000, self, clock or (lambda: self.now))
        self.sound_sink = SoundSink(self, clock or (lambda: self.now))

    def show(self, picture: EncodedPicture, *, publish: bool) -> bool:
        self.published |= publish
        if self.published:
            self.pictures.append(picture)
        return self.published

    def play(self, pieces: list[bytes]) -> bool:
        self.pieces += pieces
        return True

    def take(self, timed: Iterable[TimedTag], *, waited: float = 0.0) -> Passed:
        """Send the tags of one track, of one codec; each is read `waited` seconds after it came."""
        sent = list(timed)
        kind, codec = sent[0].tag.kind, sent[0].tag.codec
        sink = self.picture_sink if kind == "video" else self.sound_sink
        decode(_Sending(kind, iter(sent), self, waited), codec, sink)
        return self

    def decoded(self) -> Iterator[av.VideoFrame]:
        """The pictures as a viewer decodes them."""
        decoder: Any = av.CodecContext.create("h264", "r")
        for picture in self.pictures:
            yield from decoder.decode(av.Packet(picture.data))

    @property
    def shapes(self) -> set[tuple[int, int, float]]:
        """The sizes of the pictures, each with the square's width by its height."""
        return {(frame.width, frame.height, _ratio(frame)) for frame in self.decoded()}

    @property
    def key_times(self) -> list[float]:
        return [picture.captured_at for picture in self.pictures if picture.key]

    @property
    def seconds_of_sound(self) -> float:
        return len(b"".join(self.pieces)) / (2 * CHANNELS * RATE)

    def loudness(self, begin: float, end: float) -> tuple[float, float]:
        """Of each channel between two times, as a part of the loudest."""
        left, right = np.sqrt((self._samples(begin, end) ** 2).mean(axis=0)) / 32_768
        return float(left), float(right)

    def hertz(self, begin: float, end: float) -> float:
        """How high the first channel is between two times."""
        wave = self._samples(begin, end)[:, 0]
        return float(np.abs(np.fft.rfft(wave)).argmax() / (end - begin))

    def _samples(self, begin: float, end: float) -> Any:
        samples = np.frombuffer(b"".join(self.pieces), np.int16).reshape(-1, CHANNELS).astype(float)
        return samples[round(begin * RATE) : round(end * RATE)]


def _ratio(frame: av.VideoFrame) -> float:
    bright = frame.to_ndarray()[: frame.height, : frame.width] > (DARK + BRIGHT) / 2
    return round(float(bright.any(axis=0).sum() / bright.any(axis=1).sum()), 2)


class _Sending(TagPipe):
    """Reads a tag when FFmpeg wants one, which makes it that tag's time."""

    def __init__(self, kind: Kind, timed: Iterator[TimedTag], passed: Passed, waited: float):
        super().__init__(kind, lambda: passed.now)
        self._timed, self._passed, self._waits = timed, passed, waited

    def read(self, size: int) -> bytes:
        if not self._rest:
            timed = next(self._timed, None)
            if timed is None:
                self.end()
            else:
                self._passed.now = timed.at
                self.put(timed.tag)
                self._passed.now += self._waits
        return super().read(size)
