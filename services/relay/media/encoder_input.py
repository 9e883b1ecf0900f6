"""What an encoder sends: divided into its tracks, decoded as they come and go, and watched."""

from collections.abc import Callable, Iterator
from typing import Any

import av

from services.relay.media.flv import FlvSplitter, FlvTag, Kind
from services.relay.media.sinks import Clock, PictureSink, SoundSink
from services.relay.media.track_reader import TrackReader

# Seconds without anything from the encoder, or in which the RTMP server does not answer.
SILENCE_TIMEOUT = 10.0
# Seconds after which a track that does not come any longer has ended, and one that is not decoded is broken.
_ENDED_AFTER, _BROKEN_AFTER = 10.0, 5.0


class NothingToRelay(Exception):
    """The encoder sends no media that could be passed on."""


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
        self._came_at = self._whole_at = float("-inf")

    def put(self, tag: FlvTag, now: float) -> None:
        """A tag came; one of another codec begins another track."""
        if now - self._came_at > _ENDED_AFTER:
            self._whole_at = now
        self._came_at = now
        if self._reader is None or self._reader.codec != tag.codec:
            before, self._reader = self._reader, TrackReader(self._kind, tag.codec, self._sink, self._failed)
            if before is not None:
                before.end()
            self._reader.start(after=before)
        self._reader.put(tag)

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
        return self.comes(now) and now - max(self._whole_at, self._sink.decoded_at) > _BROKEN_AFTER


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
