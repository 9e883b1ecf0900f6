"""One track of an encoder, from FLV tags to decoded frames, on a thread of its own."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol

import av

from services.relay.media.flv import FlvTag, Kind, header

# FFmpeg need not look ahead: the decoder tells what a frame is like, and each frame may be different.
_NO_PROBING = {"probesize": "32", "analyzeduration": "1"}
# Seconds that a tag may wait before frames are left out, and before this counts as having fallen behind.
_LATE, _MAX_WAIT = 0.5, 5.0
_ANY_SIZE = 1 << 20


class FallenBehind(Exception):
    """Media arrives faster than it is processed."""

    def __init__(self) -> None:
        super().__init__("Media has fallen behind")


class FrameSink(Protocol):
    """What a track's frames are for. `codec` is FFmpeg's name, or the FourCC of one it does not know."""

    def begin(self, codec: str) -> None: ...

    def push(self, frame: Any, *, late: bool) -> None:
        """`late`: more waits behind it than should, so that it had better be left out."""
        ...


class TagPipe:
    """The tags of a track as the file that FFmpeg reads; each is read at once when it comes."""

    def __init__(self, kind: Kind, clock: Callable[[], float] = time.monotonic):
        self._waiting: SimpleQueue[tuple[float, bytes] | None] = SimpleQueue()
        self._rest = memoryview(header(kind))
        self._clock = clock
        self._ended = False
        self.waited = 0.0
        """How many seconds the last tag that was read had waited."""

    @property
    def fallen_behind(self) -> bool:
        return self.waited > _MAX_WAIT

    def put(self, tag: FlvTag) -> None:
        self._waiting.put((self._clock(), tag.data))

    def end(self) -> None:
        self._waiting.put(None)

    def read(self, size: int) -> bytes:
        """At most `size` bytes, waiting for them; none at the end, however often it is asked for."""
        if not self._rest and not self._ended:
            self._take()
        part, self._rest = self._rest[:size], self._rest[size:]
        return bytes(part)

    def _take(self) -> None:
        taken = self._waiting.get()
        if taken is not None:
            came, data = taken
            self.waited = self._clock() - came
            self._rest = memoryview(data)
        self._ended = taken is None or self.fallen_behind


def decode(pipe: TagPipe, codec: str, sink: FrameSink) -> None:
    """Until the track ends, or is no longer FLV to FFmpeg; frames that are broken are left out.

    Raises FallenBehind, and what `sink` raises.
    """
    sink.begin(codec)
    for frame in _frames(pipe, sink):
        sink.push(frame, late=pipe.waited > _LATE)
    if pipe.fallen_behind:
        raise FallenBehind


def _frames(pipe: TagPipe, sink: FrameSink) -> Iterator[Any]:
    """None if FFmpeg does not know the codec."""
    with suppress(av.FFmpegError), av.open(pipe, "r", format="flv", options=_NO_PROBING) as container:
        stream: Any = container.streams[0] if len(container.streams) else None
        if stream is None or stream.codec_context is None:
            while pipe.read(_ANY_SIZE):
                pass
            return
        sink.begin(stream.codec_context.codec.canonical_name)
        for packet in container.demux(stream):
            yield from _decoded(packet)


def _decoded(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except av.FFmpegError:
        return []


class TrackReader:
    """Decodes a track in the background. `failed` is called with what ended it before its end."""

    def __init__(self, kind: Kind, codec: str, sink: FrameSink, failed: Callable[[Exception], None]):
        self.codec = codec
        self._pipe = TagPipe(kind)
        self._sink = sink
        self._failed = failed
        self._thread = Thread(target=self._run, name=f"{kind} {codec}", daemon=True)
        self._before: TrackReader | None = None

    def start(self, *, after: "TrackReader | None" = None) -> None:
        """`after`: the reader of the same kind before, which has come to its end."""
        self._before = after
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it takes no more tags: FFmpeg did not get on with those before."""
        return not self._thread.is_alive()

    def put(self, tag: FlvTag) -> None:
        self._pipe.put(tag)

    def end(self) -> None:
        """No more tags; what was put is still decoded."""
        self._pipe.end()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        if self._before is not None:
            self._before.join()
            self._before = None
        try:
            decode(self._pipe, self.codec, self._sink)
        except Exception as error:
            self._failed(error)
