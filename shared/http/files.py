"""Answering with a file: a stored one with ranges and conditional requests (RFC 9110, sections 13 and 14),
or one that is made meanwhile."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote

from aiohttp import web

from shared.errors import AppError, NotFound
from shared.files.storage import Storage, Stored
from shared.http.reply import etag_matches

# The largest upload that the gateway forwards, in bytes; services may accept less.
LARGEST_FILE: Final = 100 * 1024 * 1024

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)
# More than any file has; int() itself refuses numbers of thousands of digits.
_BEYOND = 10**18
_SECOND = timedelta(seconds=1)


class RangeNotSatisfiable(AppError):
    """416: the range lies behind the end of the file."""

    status = 416
    code = "range_not_satisfiable"


@dataclass(frozen=True)
class ByteRange:
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int


async def send_file(
    request: web.BaseRequest, storage: Storage, key: str, *, content_type: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """The file stored under `key`: 200, 206 for one range, 304. Raises `NotFound`, `RangeNotSatisfiable`."""
    stored = await storage.head(key)
    if stored is None:
        raise NotFound("There is no such file", code="file_not_found")
    every = {"ETag": stored.etag, "Last-Modified": _http_date(stored), "Accept-Ranges": "bytes", **headers}
    if _unchanged(request, stored):
        return web.Response(status=304, headers=every)
    span = (
        requested_range(request.headers.get("Range"), stored.size) if _range_holds(request, stored) else None
    )
    response = web.StreamResponse(status=206 if span else 200, headers=every)
    response.content_type = content_type
    span_or_all = span or ByteRange(0, stored.size)
    if span:
        response.headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{stored.size}"
    response.content_length = span_or_all.end - span_or_all.start
    return await _send(request, response, storage, key, span_or_all)


async def _send(
    request: web.BaseRequest, response: web.StreamResponse, storage: Storage, key: str, span: ByteRange
) -> web.StreamResponse:
    await response.prepare(request)
    if request.method == "HEAD" or span.start == span.end:
        return response
    try:
        async for piece in storage.read(key, span.start, span.end):
            await response.write(piece)
    except (AppError, ConnectionError):
        _break_off(request)
    return response


async def stream(
    request: web.BaseRequest, pieces: AsyncGenerator[bytes, None], headers: Mapping[str, str]
) -> web.StreamResponse:
    """A file that is made while it is sent; what fails before its first piece is still refused as such."""
    async with aclosing(pieces):
        first = await anext(pieces, b"")
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        try:
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
        except (AppError, ConnectionError):
            _break_off(request)
        except Exception:
            _break_off(request)
            raise
    return response


def _break_off(request: web.BaseRequest) -> None:
    """The status is sent: only a broken connection can still say that the file is not whole."""
    if request.transport is not None:
        request.transport.abort()


def requested_range(header: str | None, size: int) -> ByteRange | None:
    """The one range that is asked for; None for none, and for what is answered in full: several, or nonsense.

    Raises `RangeNotSatisfiable`.
    """
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or not any(match.groups()):
        return None
    first, last = (_position(digits) for digits in match.groups())
    if first is None:
        span = ByteRange(max(0, size - (last or 0)), size)
    elif last is not None and last < first:
        return None
    else:
        span = ByteRange(first, size if last is None else min(size, last + 1))
    if span.start >= span.end:
        raise RangeNotSatisfiable(
            f"The file has {size} bytes",
            headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"},
        )
    return span


def _position(digits: str) -> int | None:
    significant = digits.lstrip("0")
    if len(significant) >= len(str(_BEYOND)):
        return _BEYOND
    return int(significant or "0") if digits else None


def _unchanged(request: web.BaseRequest, stored: Stored) -> bool:
    tags = request.headers.getall("If-None-Match", ())
    if tags:
        return etag_matches(tags, stored.etag)
    since = request.if_modified_since
    return since is not None and stored.modified < since + _SECOND


def _range_holds(request: web.BaseRequest, stored: Stored) -> bool:
    """Whether the range is of the file that the client has a part of (If-Range)."""
    condition = request.headers.get("If-Range")
    if condition is None or condition.startswith(('"', "W/")):
        return condition is None or condition == stored.etag
    return condition == _http_date(stored)


def _http_date(stored: Stored) -> str:
    return stored.modified.strftime("%a, %d %b %Y %H:%M:%S GMT")


def attachment(name: str) -> str:
    """Content-Disposition for a file of this name, which must have no control characters (RFC 6266)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_").replace("\\", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
