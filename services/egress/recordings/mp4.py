"""How long a stored MP4 plays: read from its header (`moov`, ISO 14496-12), wherever in the file that is."""

import struct
from dataclasses import dataclass

from shared.files.storage import Storage

_LENGTH, _LARGE_LENGTH = struct.Struct(">I4s"), struct.Struct(">Q")
# After version and flags: times of creation and change, time scale, duration; in version 1 with 64 bits.
_MOVIE, _LARGE_MOVIE = struct.Struct(">4x8xII"), struct.Struct(">4x16xIQ")


@dataclass(frozen=True)
class Mp4Header:
    """Reads boxes of the file `key` of `size` bytes."""

    storage: Storage
    key: str
    size: int

    async def seconds(self) -> float | None:
        """None if the file has no header: it was never finished. Raises `NotFound`, `Unavailable`."""
        movie = await self._find(b"moov", 0, self.size)
        header = await self._find(b"mvhd", *movie) if movie else None
        if header is None:
            return None
        data = await self._bytes(header[0], min(header[1], header[0] + _LARGE_MOVIE.size))
        layout = _LARGE_MOVIE if data[:1] == b"\x01" else _MOVIE
        if len(data) < layout.size:
            return None
        scale, duration = layout.unpack_from(data)
        return duration / scale if scale else None

    async def _find(self, name: bytes, start: int, end: int) -> tuple[int, int] | None:
        """Where the content of the first box of this name begins and ends, among the boxes from `start`."""
        while start + _LENGTH.size <= end:
            data = await self._bytes(start, min(start + _LENGTH.size + _LARGE_LENGTH.size, end))
            length, kind = _LENGTH.unpack_from(data)
            begins = _LENGTH.size
            if length == 1 and len(data) > begins:
                (length,), begins = _LARGE_LENGTH.unpack_from(data, begins), begins + _LARGE_LENGTH.size
            stop = start + length if length else end
            if stop > end or stop < start + begins:
                return None
            if kind == name:
                return start + begins, stop
            start = stop
        return None

    async def _bytes(self, start: int, end: int) -> bytes:
        return b"".join([piece async for piece in self.storage.read(self.key, start, end)])
