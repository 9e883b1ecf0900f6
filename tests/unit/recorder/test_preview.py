"""The latest picture of a stream: stored as JPEG, renewed with newer segments, and never in the way."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from services.recorder.jobs import preview as previews
from services.recorder.jobs.preview import Preview
from shared.files.storage import Storage, StorageFull
from tests.unit.recorder.test_files import film

KEY = "hls/session/key/preview.jpeg"


class Full(Storage):
    async def put(self, key: str, content: bytes | Path) -> None:
        raise StorageFull("The storage is full")


def segment(folder: Path) -> bytes:
    return film(folder, 1)[0].file.read_bytes()


async def test_it_is_a_jpeg_and_the_next_is_due_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage.from_url("memory:")
    preview = Preview(KEY, storage)
    assert preview.is_due
    preview.show(segment(tmp_path))
    await preview.stored()
    with Image.open(io.BytesIO(await storage.get(KEY))) as picture:
        assert picture.format == "JPEG"
        assert picture.width <= 640
    assert not preview.is_due
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 0)
    assert preview.is_due


async def test_a_segment_without_a_picture_and_a_full_storage_do_no_harm(tmp_path: Path) -> None:
    for storage, content in ((Storage.from_url("memory:"), b"no segment"), (Full.from_url("memory:"), b"")):
        preview = Preview(KEY, storage)
        preview.show(content or segment(tmp_path))
        await asyncio.wait_for(preview.stored(), 10)
        assert await storage.head(KEY) is None
