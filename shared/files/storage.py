"""Stored files (HLS, recordings, posters): a directory or a bucket of S3.

The only module that imports obstore. A file is named by its key (`shared.files.paths`), appears whole
or not at all, and never changes afterwards. Every call has a deadline. An unavailable storage raises
`Unavailable`, a full one `StorageFull`; an invalid key is a bug and raises ValueError.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from shared.errors import AppError, NotFound, Unavailable
from shared.files.paths import check_key

Kind = Literal["filesystem", "s3", "memory"]

_DEADLINE = 15.0
# Bytes a second below which an upload counts as hanging.
_SLOWEST = 500_000
_CHUNK = 256 * 1024
_PART = 5 * 1024 * 1024
_PARTS_AT_ONCE = 3
_DELETED_AT_ONCE = 500
# obstore reports the operating system's errors in its message only: ENOSPC, EDQUOT; ENOENT and ENOTDIR.
_FULL = ("(os error 28)", "(os error 122)")
_ABSENT = ("(os error 2)", "(os error 20)")


class StorageFull(AppError):
    """507: the storage is full."""

    status = 507
    code = "storage_full"


@dataclass(frozen=True)
class Stored:
    """A stored file: its size in bytes, and a quoted ETag that is unique to its content."""

    key: str
    size: int
    etag: str
    modified: datetime


@dataclass(frozen=True)
class Space:
    """In bytes; None if the storage does not report it, like S3."""

    total: int | None
    used: int | None
    free: int | None


class Storage:
    def __init__(self, store: ObjectStore, kind: Kind, *, directory: Path | None = None):
        self._store = store
        self.kind = kind
        self.directory = directory

    @classmethod
    def from_url(cls, url: str, options: Mapping[str, str] | None = None) -> "Storage":
        """`file:///directory` (created if missing), `s3://bucket/prefix` or `memory:`.

        `options` are those of S3: region, endpoint, access_key_id, secret_access_key …; raises ValueError.
        """
        parts = urlsplit(url)
        if parts.scheme == "file" and parts.path.strip("/"):
            directory = Path(unquote(parts.path))
            _make(directory)
            return cls(LocalStore(directory, automatic_cleanup=True), "filesystem", directory=directory)
        if parts.scheme == "s3" and parts.netloc:
            return cls(_s3(parts.netloc, parts.path.strip("/"), dict(options or {})), "s3")
        if parts.scheme == "memory":
            return cls(MemoryStore(), "memory")
        raise ValueError("a storage is file:///directory or s3://bucket/prefix")

    async def put(self, key: str, content: bytes | Path) -> None:
        """Store it under `key`, replacing an existing file. Raises `StorageFull`, `Unavailable`."""
        size = await asyncio.to_thread(_size, content)
        async with translated(_DEADLINE + size / _SLOWEST):
            await obstore.put_async(
                self._store, check_key(key), content, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE
            )

    async def get(self, key: str) -> bytes:
        """The whole file; for small ones. Raises `NotFound`, `Unavailable`."""
        async with translated(_DEADLINE):
            result = await obstore.get_async(self._store, check_key(key))
            return bytes(await result.bytes_async())

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`, piece by piece. Raises as `get`.

        Each piece has the deadline of a call, so that somebody who reads slowly is not cut off.
        """
        whole = start == 0 and end is None
        span: Any = {"offset": start} if end is None else (start, end)
        async with translated(_DEADLINE):
            result = await obstore.get_async(
                self._store, check_key(key), options=None if whole else {"range": span}
            )
        pieces = aiter(result.stream(min_chunk_size=_CHUNK))
        while True:
            async with translated(_DEADLINE):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield bytes(piece)

    async def head(self, key: str) -> Stored | None:
        """The file stored under `key`; None if there is none. Raises `Unavailable`."""
        try:
            async with translated(_DEADLINE):
                return _stored(await obstore.head_async(self._store, check_key(key)))
        except NotFound:
            return None

    async def list(self, prefix: str) -> AsyncIterator[Stored]:
        """All files below the folder `prefix`, in no order. Raises `Unavailable`."""
        batches = aiter(obstore.list(self._store, check_key(prefix)))
        while True:
            async with translated(_DEADLINE):
                batch = await anext(batches, None)
            if batch is None:
                return
            for meta in batch:
                yield _stored(meta)

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete the files; missing ones are fine. Raises `Unavailable`: some may be left."""
        wanted = [check_key(key) for key in keys]
        for first in range(0, len(wanted), _DELETED_AT_ONCE):
            await self._delete(wanted[first : first + _DELETED_AT_ONCE])

    async def delete_folder(self, prefix: str) -> None:
        """Delete all files below it. Raises `Unavailable`: some may be left."""
        await self.delete([stored.key async for stored in self.list(prefix)])

    async def _delete(self, keys: Sequence[str]) -> None:
        try:
            async with translated(_DEADLINE):
                await obstore.delete_async(self._store, list(keys))
        except NotFound:
            # It stops at the first that is missing.
            for key in keys if len(keys) > 1 else ():
                await self._delete([key])

    async def space(self) -> Space:
        if self.directory is None:
            return Space(None, None, None)
        usage = await asyncio.to_thread(shutil.disk_usage, self.directory)
        return Space(usage.total, usage.used, usage.free)


@asynccontextmanager
async def translated(deadline: float) -> AsyncIterator[None]:
    """One call: its deadline, and obstore's errors as ours."""
    try:
        async with asyncio.timeout(deadline):
            yield
    except FileNotFoundError as error:
        raise NotFound("There is no such file", code="file_not_found") from error
    except TimeoutError as error:
        raise Unavailable("The storage is unavailable", code="storage_unavailable") from error
    except (BaseError, OSError) as error:
        said = str(error)
        if any(mark in said for mark in _FULL):
            raise StorageFull("The storage is full") from error
        if any(mark in said for mark in _ABSENT):
            raise NotFound("There is no such file", code="file_not_found") from error
        raise Unavailable("The storage is unavailable", code="storage_unavailable") from error


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the storage's directory {directory} cannot be made: {error.strerror}") from error


def _size(content: bytes | Path) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


def _stored(meta: Mapping[str, Any]) -> Stored:
    modified: datetime = meta["last_modified"]
    etag = meta["e_tag"] or f'"{meta["size"]:x}-{int(modified.timestamp() * 1000):x}"'
    return Stored(meta["path"], meta["size"], etag, modified)


def _s3(bucket: str, prefix: str, options: dict[str, str]) -> S3Store:
    """A retry is the caller's; obstore's own would take minutes."""
    plain = options.get("endpoint", "").startswith("http://")
    config: Any = options
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={"timeout": "60s", "connect_timeout": "5s", "allow_http": plain},
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
    )
