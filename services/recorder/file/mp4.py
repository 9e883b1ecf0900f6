"""From MPEG-TS to MP4: the same pictures and sound in another box. Blocking: for a thread."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream

if TYPE_CHECKING:  # generic for the type checker alone
    from av.packet import Packet as AnyPacket

    Packet = AnyPacket[Stream]

_KINDS = ("video", "audio")


class NoMedia(Exception):
    """There was neither picture nor sound in what was given."""


class ConcatenatedReader(io.RawIOBase):
    """Files read as one; each piece is asked for when it is needed."""

    def __init__(self, pieces: Iterator[bytes]):
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end. FFmpeg never asks for all."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        taken = bytes(self._rest[:size])
        self._rest = self._rest[len(taken) :]
        return taken


@dataclass
class _Track:
    """Where a track of the file is: the time of the last packet and the end of it, in the stream's ticks."""

    stream: Stream
    last: int = -1
    end: float = 0.0


@dataclass
class Mp4:
    """The file being written. Parts come one after the other, each right behind the one before."""

    target: Path
    _container: OutputContainer = field(init=False)
    _tracks: dict[str, _Track] = field(init=False, default_factory=dict)
    _shown: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        # The index goes to the front, so that players can begin before they have everything.
        self._container = av.open(str(self.target), "w", format="mp4", options={"movflags": "+faststart"})

    def add(self, pieces: Iterator[bytes]) -> None:
        """Add a part: MPEG-TS files whose timestamps carry on."""
        with av.open(ConcatenatedReader(pieces), "r", format="mpegts") as source:
            self._prepare(source)
            first: Fraction | None = None
            for packet in source.demux():
                if packet.dts is None or packet.pts is None or packet.stream.type not in self._tracks:
                    continue
                if first is None:
                    first = _begin(packet)
                self._put(packet, first)
        self._shown = max((track.end for track in self._tracks.values()), default=self._shown)

    def close(self) -> float:
        """Finish the file; how many seconds it lasts. Raises NoMedia."""
        if not self._tracks:
            raise NoMedia(f"nothing was to be put into {self.target.name}")
        self._container.close()
        return self._shown

    def _prepare(self, source: InputContainer) -> None:
        for stream in source.streams:
            if stream.type in _KINDS and stream.type not in self._tracks:
                self._tracks[stream.type] = _Track(self._container.add_stream_from_template(stream))

    def _put(self, packet: Packet, first: Fraction) -> None:
        track = self._tracks[packet.stream.type]
        base = packet.time_base
        offset = round((Fraction(self._shown).limit_denominator(90_000) - first) / base)
        # Sound begins a little before the picture; nothing may begin before the file.
        dts = max((packet.dts or 0) + offset, track.last + 1, 0)
        packet.pts = max((packet.pts or 0) + offset, dts)
        packet.dts = dts
        track.last = dts
        track.end = float((packet.pts + (packet.duration or 0)) * base)
        packet.stream = track.stream
        self._container.mux_one(packet)


def _begin(packet: Packet) -> Fraction:
    return Fraction(packet.pts or 0) * packet.time_base


def write(target: Path, parts: Sequence[Iterator[bytes]]) -> float:
    """Make the MP4 of all parts; how many seconds it lasts. Raises NoMedia, OSError."""
    file = Mp4(target)
    for part in parts:
        file.add(part)
    return file.close()
