"""What an encoder sends: divided into its tracks, decoded as they come and go, and watched."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av

from services.relay.media.flv import FlvSplitter, FlvTag, Kind
from services.relay.media.sinks import Clock, PictureSink, SoundSink
from services.relay.media.track_reader import TrackReader

# Seconds without anything from the encoder, or in which the RTMP server does not answer.
SILENCE_TIMEOUT = 10.0
# Seconds after which a track that does not come any longer has ended.
_ENDED_AFTER = 10.0
# A track is broken if nothing is decoded for so many seconds from a key picture on, and of more tags than any
# decoder holds back to put pictures in order; or if no key picture comes for so long that none may ever come.
_BROKEN_AFTER, _HELD_BACK, _KEYLESS = 5.0, 16, 20.0
# A track whose codec changes, or which is broken, more often in a second is none.
_MOST_BEGINNINGS = 5


class NothingToRelay(Exception):
    """The encoder sends no media that could be passed on."""


@dataclass
class _Undecoded:
    """What came since something was decoded: from when on, its first key picture, and how many tags then."""

    began_at: float
    key_at: float = float("inf")
    since_key: int = 0

    def add(self, tag: FlvTag, now: float) -> None:
        if tag.is_key:
            self.key_at = min(self.key_at, now)
        if self.key_at <= now:
            self.since_key += 1

    def is_broken(self, now: float) -> bool:
        """An encoder that is heard from its middle shows nothing before its next key picture, and is not."""
        if self.key_at > now:
            return now - self.began_at > _KEYLESS
        return now - self.key_at > _BROKEN_AFTER and self.since_key > _HELD_BACK


def rtmp(source: str) -> Iterator[bytes]:
    """The FLV that the RTMP server plays, as it comes. Raises what FFmpeg raises."""
    with av.open(source, "r", format="data", timeout=SILENCE_TIMEOUT) as incoming:
        for packet in incoming.demux(0):
            if packet.size:
                yield bytes(packet)


class TrackWatch:
    """One kind of media of an encoder."""

    def __init__(self, kind: Kind, sink: PictureSink | SoundSink, failed: Callable[[Exception], None]):
        self._kind = kind
        self._sink = sink
        self._failed = failed
        self._reader: TrackReader | None = None
        # By codec: encoders send each once.
        self._headers: dict[str, FlvTag] = {}
        self._came_at = float("-inf")
        self._undecoded = _Undecoded(self._came_at)
        self._began_at = deque[float](maxlen=_MOST_BEGINNINGS)

    def put(self, tag: FlvTag, now: float) -> None:
        """A tag came; one of another codec begins another track. Raises NothingToRelay."""
        if not self.comes(now) or self._sink.decoded_at >= self._undecoded.began_at:
            self._undecoded = _Undecoded(now)
        self._undecoded.add(tag, now)
        self._came_at = now
        if self._reader is None or self._reader.is_over or self._reader.codec != tag.codec:
            self._reader = self._begin(tag.codec, now)
        if tag.is_header:
            self._headers[tag.codec] = tag
        self._reader.put(tag)

    def _begin(self, codec: str, now: float) -> TrackReader:
        if len(self._began_at) == _MOST_BEGINNINGS and now - self._began_at[0] < 1.0:
            raise NothingToRelay(f"The encoder's {self._kind} starts again all the time")
        self._began_at.append(now)
        reader = TrackReader(self._kind, codec, self._sink, self._failed)
        if self._reader is not None:
            self._reader.end()
        reader.start(after=self._reader)
        if codec in self._headers:
            reader.put(self._headers[codec])
        return reader

    def end(self) -> None:
        """What came is still decoded, then this returns."""
        if self._reader is not None:
            self._reader.end()
            self._reader.join()

    def comes(self, now: float) -> bool:
        """Whether the encoder sends this kind of media."""
        return now - self._came_at <= _ENDED_AFTER

    def is_broken(self, now: float) -> bool:
        """Whether it comes, and nothing of it can be decoded."""
        undecoded = self._undecoded
        return self.comes(now) and self._sink.decoded_at < undecoded.began_at and undecoded.is_broken(now)


class EncoderInput:
    """`read` belongs to one thread, the rest to another. `failed` is called with what ended a track."""

    def __init__(
        self, pictures: PictureSink, sound: SoundSink, failed: Callable[[Exception], None], clock: Clock
    ):
        self.pictures, self.sound = pictures, sound
        self._clock = clock
        self._watches: dict[Kind, TrackWatch] = {
            "video": TrackWatch("video", pictures, failed),
            "audio": TrackWatch("audio", sound, failed),
        }

    def read(self, flv: Iterator[bytes]) -> None:
        """Until it ends. Raises NotFlv, NothingToRelay, and what `flv` raises."""
        splitter, any_tag = FlvSplitter(), False
        for data in flv:
            for tag in splitter.feed(data):
                any_tag = True
                self._watches[tag.kind].put(tag, self._clock())
        for watch in self._watches.values():
            watch.end()
        if not any_tag:
            raise NothingToRelay("The encoder sends neither picture nor sound")

    def comes(self, kind: Kind) -> bool:
        """Whether the encoder sends it."""
        return self._watches[kind].comes(self._clock())

    def report(self) -> dict[str, Any]:
        """What the encoder sends now, and what of it cannot be passed on: see `InputReport`."""
        size, sampling = self.pictures.size, self.sound.format
        video = {"codec": self.pictures.codec, "width": size[0], "height": size[1]}
        audio = {"codec": self.sound.codec, "sample_rate": sampling[0], "channels": sampling[1]}
        return {
            "video": video if self.comes("video") else None,
            "audio": audio if self.comes("audio") else None,
            "problem": self._problem(),
        }

    def _problem(self) -> str | None:
        now = self._clock()
        if self._watches["video"].is_broken(now):
            return f"The encoder's picture cannot be decoded ({self.pictures.codec})"
        if self._watches["audio"].is_broken(now):
            return f"The encoder's sound cannot be decoded ({self.sound.codec})"
        return None
