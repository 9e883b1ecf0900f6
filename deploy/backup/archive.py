"""A backup's file: a ZIP of `<service>/<collection>.bson`, one for each collection, and `manifest.json`.

The documents follow each other as BSON, as `mongodump` writes them, so that other tools can read a part of
it. Only a few documents are in memory at a time, whatever the size of the file.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import bson
from bson.codec_options import CodecOptions
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import AppError
from shared.persistence.mongo import Document

FORMAT = 1
_MANIFEST = "manifest.json"
_LENGTH = 4  # bytes with which a document begins
_OPTIONS: CodecOptions[Document] = CodecOptions(tz_aware=True)


class DamagedBackup(AppError):
    """The file is no backup, or not the one that was made."""


class BackupPart(BaseModel):
    """One collection: how many documents, and the SHA-256 of their bytes."""

    model_config = ConfigDict(frozen=True)

    service: str
    collection: str
    documents: int
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.service}/{self.collection}.bson"


class BackupManifest(BaseModel):
    """`release` made it; what was stored before `started_at` is in it, nothing from after `finished_at`."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    release: str
    started_at: datetime
    finished_at: datetime
    parts: list[BackupPart]


class BackupWriter:
    """Adds collections to a new file, which only its owner may read."""

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive
        self.parts: list[BackupPart] = []

    async def add(self, service: str, collection: str, documents: AsyncIterator[bytes]) -> None:
        count, checksum = 0, hashlib.sha256()
        with self._archive.open(f"{service}/{collection}.bson", "w", force_zip64=True) as member:
            async for document in documents:
                member.write(document)
                checksum.update(document)
                count += 1
        self.parts.append(
            BackupPart(service=service, collection=collection, documents=count, sha256=checksum.hexdigest())
        )

    def finish(self, manifest: BackupManifest) -> None:
        self._archive.writestr(_MANIFEST, manifest.model_dump_json(indent=2))


@contextmanager
def written(path: Path) -> Iterator[BackupWriter]:
    """A new backup; the file has its name once it is whole. Raises FileExistsError."""
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                yield BackupWriter(archive)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


class BackupReader:
    """A backup that is read; `verify` before what is in it is believed."""

    def __init__(self, archive: zipfile.ZipFile, manifest: BackupManifest):
        self._archive = archive
        self.manifest = manifest

    def verify(self) -> None:
        """Read all of it once. Raises `DamagedBackup` if a document is missing or was changed."""
        for part in self.manifest.parts:
            count, checksum = 0, hashlib.sha256()
            try:
                for document in self._raw(part):
                    checksum.update(document)
                    count += 1
            except (zipfile.BadZipFile, KeyError, EOFError, OSError) as error:
                raise DamagedBackup(f"The backup is damaged in {part.file}: {error}") from error
            if (count, checksum.hexdigest()) != (part.documents, part.sha256):
                raise DamagedBackup(f"The backup is damaged: the checksum of {part.file} is another")

    def documents(self, part: BackupPart) -> Iterator[Document]:
        for document in self._raw(part):
            yield bson.decode(document, _OPTIONS)

    def _raw(self, part: BackupPart) -> Iterator[bytes]:
        with self._archive.open(part.file) as member:
            while head := member.read(_LENGTH):
                yield head + _exactly(member, int.from_bytes(head, "little") - _LENGTH)


def _exactly(member: IO[bytes], size: int) -> bytes:
    data = member.read(size) if size > 0 else b""
    if len(data) != size:
        raise EOFError("it ends within a document")
    return data


@contextmanager
def opened(path: Path) -> Iterator[BackupReader]:
    """A backup to read. Raises `DamagedBackup` if it is none, or one of another format."""
    try:
        archive = zipfile.ZipFile(path)
        manifest = BackupManifest.model_validate_json(_read(archive, _MANIFEST))
    except (zipfile.BadZipFile, KeyError, ValidationError, OSError) as error:
        raise DamagedBackup(f"{path} is no backup: {error}") from error
    with archive:
        if manifest.format != FORMAT:
            raise DamagedBackup(f"{path} has format {manifest.format}; this release reads format {FORMAT}")
        yield BackupReader(archive, manifest)


def _read(archive: zipfile.ZipFile, name: str) -> Any:
    return archive.read(name)
