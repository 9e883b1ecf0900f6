"""Stored files: the same cases over a directory and over obstore's own store in memory."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.exceptions import GenericError

from shared.errors import NotFound, Unavailable
from shared.files.paths import LONGEST_KEY, is_key
from shared.files.storage import Storage, StorageFull, translated

KEY = "recordings/0190-session/abc.mp4"
CONTENT = bytes(range(256)) * 4096


@pytest.fixture(params=["filesystem", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return Storage.from_url("memory:" if request.param == "memory" else (tmp_path / "files").as_uri())


async def read(storage: Storage, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in storage.read(KEY, start, end)])


async def keys(storage: Storage, prefix: str) -> list[str]:
    return sorted([stored.key async for stored in storage.list(prefix)])


async def test_a_file_comes_back_as_it_was_stored(storage: Storage) -> None:
    await storage.put(KEY, CONTENT)
    assert await storage.get(KEY) == CONTENT
    assert await read(storage) == CONTENT


async def test_a_file_on_disk_is_stored_in_parts(storage: Storage, tmp_path: Path) -> None:
    large = tmp_path / "large.mp4"
    large.write_bytes(CONTENT * 15)
    await storage.put(KEY, large)
    stored = await storage.head(KEY)
    assert stored is not None
    assert stored.size == len(CONTENT) * 15
    assert await read(storage) == CONTENT * 15


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 300), (300, None), (len(CONTENT) - 1, len(CONTENT))])
async def test_ranges_end_before_their_end(storage: Storage, start: int, end: int | None) -> None:
    await storage.put(KEY, CONTENT)
    assert await read(storage, start, end) == CONTENT[start:end]


async def test_another_content_has_another_etag(storage: Storage) -> None:
    await storage.put(KEY, b"one")
    first = await storage.head(KEY)
    await storage.put(KEY, b"two more")
    second = await storage.head(KEY)
    assert first is not None
    assert second is not None
    assert (first.key, first.size, second.size) == (KEY, 3, 8)
    assert first.etag != second.etag
    assert first.etag.startswith('"')
    assert first.etag.endswith('"')


async def test_what_is_not_there(storage: Storage) -> None:
    await storage.put(KEY, b"x")
    for missing in ["recordings/none.mp4", "recordings/0190-session", KEY + "/below"]:
        assert await storage.head(missing) is None
        with pytest.raises(NotFound):
            await storage.get(missing)
        with pytest.raises(NotFound):
            await anext(storage.read(missing))
    assert await keys(storage, "nothing") == []


async def test_lists_are_of_one_folder(storage: Storage) -> None:
    for key in ["hls/a/1.ts", "hls/a/2.ts", "hls/ab/3.ts"]:
        await storage.put(key, b"x")
    assert await keys(storage, "hls/a") == ["hls/a/1.ts", "hls/a/2.ts"]
    assert await keys(storage, "hls") == ["hls/a/1.ts", "hls/a/2.ts", "hls/ab/3.ts"]


async def test_deleting_minds_nothing_that_is_missing(storage: Storage) -> None:
    for key in ["hls/a/1.ts", "hls/a/2.ts"]:
        await storage.put(key, b"x")
    await storage.delete(["hls/a/0.ts", "hls/a/1.ts", "hls/a/9.ts", "hls/a/2.ts"])
    await storage.delete([])
    await storage.delete(["hls/a/1.ts"])
    assert await keys(storage, "hls") == []


async def test_no_key_leads_outside(storage: Storage) -> None:
    for bad in ["../etc/passwd", "/etc/passwd", "a/../../b", "a//b", "a/", "", "a\x00b", "a\nb", "a/.hidden"]:
        with pytest.raises(ValueError, match="not the key"):
            await storage.put(bad, b"x")
        with pytest.raises(ValueError, match="not the key"):
            await storage.head(bad)
        with pytest.raises(ValueError, match="not the key"):
            await storage.delete([bad])


@given(st.text(max_size=40))
def test_keys_are_plain(text: str) -> None:
    if is_key(text):
        assert text.isascii()
        assert not any(part in {"", ".", ".."} for part in text.split("/"))
    assert not is_key("a" * (LONGEST_KEY + 1))


async def test_a_directory_says_how_much_room_it_has(tmp_path: Path) -> None:
    space = await Storage.from_url(tmp_path.as_uri()).space()
    assert space.total is not None
    assert space.free is not None
    assert 0 <= space.free <= space.total
    assert (await Storage.from_url("memory:").space()).total is None


async def test_a_full_disk_is_told_from_one_that_does_not_answer() -> None:
    # What obstore 0.12 says on a tmpfs of 1 MB.
    said = "Generic LocalFileSystem error: Unable to copy data to file: No space left on device (os error 28)"
    with pytest.raises(StorageFull) as full:
        async with translated(1.0):
            raise GenericError(said)
    assert full.value.status == 507
    with pytest.raises(Unavailable):
        async with translated(1.0):
            raise GenericError("Generic S3 error: HTTP error: error sending request")


async def test_a_bucket_that_nobody_serves_does_not_answer() -> None:
    options = {
        "endpoint": "http://127.0.0.1:9",
        "region": "us-east-1",
        "access_key_id": "key",
        "secret_access_key": "a secret of the test",
    }
    bucket = Storage.from_url("s3://bucket/prefix", options)
    assert bucket.kind == "s3"
    with pytest.raises(Unavailable) as refused:
        await bucket.head(KEY)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("url", ["", "/tmp", "file://", "file:///", "s3://", "http://host/bucket"])  # noqa: S108
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="a storage is"):
        Storage.from_url(url)
