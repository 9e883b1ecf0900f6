"""A recording's file, remuxed from MPEG-TS to MP4, and its poster. Blocking: for a thread."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av
from av.container import InputContainer
from av.stream import Stream
from PIL import Image

if TYPE_CHECKING:  # generic for the type checker alone
    Packet: TypeAlias = "av.Packet[Stream]"


class NoMedia(Exception):
    """The segments contain neither video nor audio."""


def write_mp4(target: Path, parts: Sequence[Iterator[bytes]]) -> float:
    """Make the MP4 of all parts; how many seconds it lasts. Raises NoMedia, OSError."""
    file = _Mp4(target)
    for part in parts:
        file.add(part)
    return file.close()


class _ConcatenatedReader(io.RawIOBase):
    """Files read as one; each is asked for when it is needed."""

    def __init__(self, contents: Iterator[bytes]):
        self._contents = contents
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end. FFmpeg never asks for all."""
        while not self._rest:
            content = next(self._contents, None)
            if content is None:
                return b""
            self._rest = memoryview(content)
        taken = bytes(self._rest[:size])
        self._rest = self._rest[len(taken) :]
        return taken


@dataclass
class _Track:
    """A track of the file: the last packet's time in the stream's ticks, and its end in seconds."""

    stream: Stream
    last: int = -1
    end: float = 0.0


class _Mp4:
    """The file being written. Each part follows immediately behind the one before."""

    def __init__(self, target: Path):
        self._target = target
        # The index goes to the front, so that players can begin before they have everything.
        self._container = av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"})
        self._tracks: dict[str, _Track] = {}
        self._duration = 0.0

    def add(self, contents: Iterator[bytes]) -> None:
        """Add a part: MPEG-TS files with continuous timestamps."""
        with av.open(_ConcatenatedReader(contents), "r", format="mpegts") as source:
            self._add_tracks(source)
            first: Fraction | None = None
            for packet in source.demux():
                if packet.dts is None or packet.pts is None or packet.stream.type not in self._tracks:
                    continue
                if first is None:
                    first = packet.pts * packet.time_base
                self._put(packet, first)
        self._duration = max((track.end for track in self._tracks.values()), default=self._duration)

    def close(self) -> float:
        """Finish the file; how many seconds it lasts. Raises NoMedia."""
        if not self._tracks:
            raise NoMedia(f"there is neither video nor audio for {self._target.name}")
        self._container.close()
        return self._duration

    def _add_tracks(self, source: InputContainer) -> None:
        for stream in source.streams:
            if stream.type in {"video", "audio"} and stream.type not in self._tracks:
                self._tracks[stream.type] = _Track(self._container.add_stream_from_template(stream))

    def _put(self, packet: "Packet", first: Fraction) -> None:
        track = self._tracks[packet.stream.type]
        base = packet.time_base
        offset = round((Fraction(self._duration).limit_denominator(90_000) - first) / base)
        # Audio begins a little before the video; nothing may begin before the file.
        dts = max((packet.dts or 0) + offset, track.last + 1, 0)
        packet.pts = max((packet.pts or 0) + offset, dts)
        packet.dts = dts
        track.last = dts
        track.end = float((packet.pts + (packet.duration or 0)) * base)
        packet.stream = track.stream
        self._container.mux_one(packet)


_WIDTH = 640
_QUALITY = 82


def poster(segment: bytes) -> bytes | None:
    """The first frame of a segment as JPEG, 640 pixels wide; None if there is none."""
    with av.open(io.BytesIO(segment), "r", format="mpegts") as container:
        if not container.streams.video:
            return None
        frame = next(container.decode(video=0), None)
        if frame is None:
            return None
        image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    image.thumbnail((_WIDTH, _WIDTH))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
