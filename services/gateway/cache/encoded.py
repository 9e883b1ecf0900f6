"""A response whose head and body were encoded beforehand and go out in one write."""

import time
from email.utils import formatdate

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from services.gateway.cache.entry import Entry


class Encoded(web.StreamResponse):
    """For HTTP/1.1 on connections that stay open; `data` is everything, from the status line on."""

    def __init__(self, status: int, data: bytes):
        super().__init__(status=status)
        self._data = data

    @property
    def prepared(self) -> bool:
        return True

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        writer = request.writer
        await writer.write(self._data)
        await writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """All is written."""


class Encoder:
    """Completes entries with what differs each time: the time, the request's id and CORS."""

    def __init__(self) -> None:
        self._second = 0
        self._date = b""

    def response(self, entry: Entry, request_id: str, cors: bytes, *, known: bool) -> Encoded:
        """The answer, or 304 where it is `known` to the client; see `suits`."""
        head, body, status = (entry.unchanged, b"", 304) if known else (entry.found, entry.body, 200)
        own = b"X-Request-Id: %b\r\n\r\n" % request_id.encode()
        return Encoded(status, b"".join((head, self._dated(), cors, own, body)))

    @staticmethod
    def suits(request: web.BaseRequest) -> bool:
        return request.keep_alive and request.version == HttpVersion11

    def _dated(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._date = f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._date
