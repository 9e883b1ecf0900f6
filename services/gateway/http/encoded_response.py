"""A response that was encoded beforehand and is sent in one write."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter


class EncodedResponse(web.StreamResponse):
    """`data` is everything, from the status line on; only for requests that `takes_encoded`."""

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
        await request.writer.write(self._data)
        await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """All is written."""


def takes_encoded(request: web.BaseRequest) -> bool:
    """HTTP/1.0, and a connection that is to be closed, need another head."""
    return request.keep_alive and request.version == HttpVersion11


def encode_headers(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


def encoded_date() -> bytes:
    return _date_at(int(time.time()))


@lru_cache(maxsize=1)
def _date_at(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
