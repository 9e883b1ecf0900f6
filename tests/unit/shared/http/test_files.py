"""Files over HTTP: ranges and conditions as RFC 9110 has them."""

from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import AppError
from shared.files.storage import Storage
from shared.http.files import ByteRange, RangeNotSatisfiable, attachment, requested_range, send_file
from shared.http.reply import render_error

KEY = "recordings/a.mp4"
CONTENT = bytes(range(256)) * 2000


@pytest.fixture
async def storage() -> Storage:
    storage = Storage.from_url("memory:")
    await storage.put(KEY, CONTENT)
    return storage


@pytest.fixture
async def http(storage: Storage) -> AsyncIterator[TestClient[Any, Any]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await send_file(request, storage, KEY, content_type="video/mp4", headers={"X-Ours": "1"})
        except AppError as error:
            return render_error(error, development=False)

    app = web.Application()
    app.router.add_get("/file", handle)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_the_whole_file(http: TestClient[Any, Any]) -> None:
    answer = await http.get("/file")
    assert (answer.status, await answer.read()) == (200, CONTENT)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["X-Ours"] == "1"
    head = await http.head("/file")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(CONTENT)))


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=300-299999", 300, 300_000),
        ("bytes=511000-", 511_000, 512_000),
        ("bytes=-10", 511_990, 512_000),
        ("bytes=-999999999999", 0, 512_000),
        ("bytes=511999-99999999999999999", 511_999, 512_000),
        ("Bytes=0-0", 0, 1),
    ],
)
async def test_a_range(http: TestClient[Any, Any], asked: str, start: int, end: int) -> None:
    answer = await http.get("/file", headers={"Range": asked})
    assert (answer.status, await answer.read()) == (206, CONTENT[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/512000"


@pytest.mark.parametrize("asked", ["bytes=512000-", "bytes=600000-700000", "bytes=-0"])
async def test_a_range_behind_the_end(http: TestClient[Any, Any], asked: str) -> None:
    answer = await http.get("/file", headers={"Range": asked})
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */512000")


def test_numbers_of_any_length_are_numbers() -> None:
    """Python itself refuses those of more than 4300 digits."""
    huge = "9" * 5000
    assert requested_range(f"bytes=5-{huge}", 10) == ByteRange(5, 10)
    assert requested_range(f"bytes=-{huge}", 10) == ByteRange(0, 10)
    assert requested_range(f"bytes={'0' * 5000}3-3", 10) == ByteRange(3, 4)
    with pytest.raises(RangeNotSatisfiable):
        requested_range(f"bytes={huge}-", 10)
    with pytest.raises(RangeNotSatisfiable):
        requested_range("bytes=9999999999999999999-", 10)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=0-1,5-6", "chunks=0-1", "bytes=a-b", "bytes=-", "bytes=٣-٤"]
)
async def test_what_is_no_single_range_is_answered_in_full(http: TestClient[Any, Any], asked: str) -> None:
    answer = await http.get("/file", headers={"Range": asked})
    assert (answer.status, len(await answer.read())) == (200, 512_000)


async def test_conditions(http: TestClient[Any, Any], storage: Storage) -> None:
    stored = await storage.head(KEY)
    assert stored is not None
    modified = format_datetime(stored.modified.replace(microsecond=0), usegmt=True)

    async def status(**headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await http.get("/file", headers=given)).status

    assert await status(If_None_Match=stored.etag) == 304
    assert await status(If_None_Match=f'"other", W/{stored.etag}') == 304
    assert await status(If_None_Match="*") == 304
    assert await status(If_None_Match='"other"') == 200
    assert await status(If_None_Match='"other"', If_Modified_Since=modified) == 200
    assert await status(If_Modified_Since=modified) == 304
    assert await status(If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT") == 200
    assert await status(Range="bytes=0-1", If_Range=stored.etag) == 206
    assert await status(Range="bytes=0-1", If_Range='"other"') == 200
    assert await status(Range="bytes=0-1", If_Range=modified) == 206
    assert await status(Range="bytes=0-1", If_Range="Mon, 01 Jan 2001 00:00:00 GMT") == 200


@given(st.text(max_size=30), st.integers(0, 10**6))
def test_no_header_is_taken_for_more_than_the_file(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            span = requested_range(header, size)
        except RangeNotSatisfiable:
            continue
        assert span is None or 0 <= span.start < span.end <= size


def test_file_names_in_headers() -> None:
    told = attachment('Fête "2030" 100%.mp4')
    assert told == (
        "attachment; filename=\"F_te _2030_ 100%.mp4\"; filename*=UTF-8''F%C3%AAte%20%222030%22%20100%25.mp4"
    )
