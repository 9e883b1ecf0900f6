"""Bodies as bytes, unpacked here and not by aiohttp.

aiohttp goes on unpacking what was refused for its length, a gigabyte for each megabyte that was sent. And it
breaks the connection after what cannot be unpacked, when the gateway may have sent somebody else's request on
it already.
"""

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

from aiohttp import hdrs, web

from shared.errors import FieldError, InvalidRequest, TooLarge

BODY_LIMIT: Final = 1024 * 1024

_AT_ONCE: Final = 64 * 1024
# Also what breaks off, since the client went away.
_UNREADABLE: Final = (web.RequestPayloadError, ConnectionError, ValueError)
_GZIP, _ZLIB, _BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


async def read_bytes(request: web.Request) -> bytes:
    """The whole body; raises `TooLarge` beyond `BODY_LIMIT`, packed or not, and `InvalidRequest`."""
    body = bytearray()
    unpacker = _Unpacker(request)
    try:
        for part in unpacker.feed(await request.read()):
            body += part
            if len(body) > BODY_LIMIT:
                raise TooLarge("The body is too large")
        unpacker.finish()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("The body is too large") from error
    except _UNREADABLE as error:
        raise _malformed() from error
    return bytes(body)


async def body_pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes, in pieces of 64 KiB at most; raises `InvalidRequest`."""
    unpacker = _Unpacker(request)
    try:
        async for piece in request.content.iter_chunked(_AT_ONCE):
            for part in unpacker.feed(piece):
                yield part
        unpacker.finish()
    except _UNREADABLE as error:
        raise _malformed() from error


class _Unpacker:
    """Unpacks gzip and deflate; everything else passes. Raises `ValueError` if that is not what it is."""

    def __init__(self, request: web.Request):
        self._encoding = request.headers.get(hdrs.CONTENT_ENCODING, "").lower()
        self._inflate: zlib._Decompress | None = None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What is in the next piece, 64 KiB at a time."""
        if self._encoding not in {"gzip", "deflate"}:
            yield piece
        elif piece:
            self._inflate = self._inflate or zlib.decompressobj(self._format(piece))
            yield from _inflated(self._inflate, piece)

    def finish(self) -> None:
        """All has come."""
        if self._inflate is not None and not self._inflate.eof:
            raise ValueError("the end is missing")

    def _format(self, first: bytes) -> int:
        if self._encoding == "gzip":
            return _GZIP
        # Some clients send deflate without its header (RFC 1950), which has an 8 in its lower half.
        return _ZLIB if first[0] & 0x0F == 8 else _BARE


def _inflated(inflate: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    full = True
    while packed or full:
        try:
            part = inflate.decompress(packed, _AT_ONCE)
        except zlib.error as error:
            raise ValueError("cannot be unpacked") from error
        yield part
        packed, full = inflate.unconsumed_tail, len(part) == _AT_ONCE
        if inflate.unused_data:
            raise ValueError("more follows the end")


def _malformed() -> InvalidRequest:
    field = FieldError("body", "body_malformed", "breaks off, or is not encoded as Content-Encoding says")
    return InvalidRequest([field], "The body cannot be read")
