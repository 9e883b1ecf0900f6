"""A backup's file: what was written is read, and what was changed since is refused before it is believed."""

from __future__ import annotations

import importlib
import os
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
import pytest

from deploy.backup.archive import BackupManifest, DamagedBackup, opened, written
from deploy.backup.databases import VERSIONED
from shared.persistence.repository import Repository

NOW = datetime(2026, 11, 30, 12, 0, 0, 250_000, tzinfo=UTC)
DOCUMENTS: list[dict[str, Any]] = [
    {"_id": "a", "at": NOW, "count": bson.Int64(5), "people": [{"id": "p", "data": b"\x00\x01"}]},
    {"_id": "b", "share": 0.5, "nothing": None, "name": "Åsa"},
]


async def given(documents: list[dict[str, Any]]) -> AsyncIterator[bytes]:
    for document in documents:
        yield bson.encode(document)


async def make(path: Path) -> None:
    with written(path) as backup:
        await backup.add("session", "sessions", given(DOCUMENTS))
        await backup.add("session", "rooms", given([]))
        backup.finish(BackupManifest(release="0.1.0", started_at=NOW, finished_at=NOW, parts=backup.parts))


def repacked(path: Path, changes: dict[str, bytes | None]) -> None:
    """The file again as a valid ZIP, with members that are others, or (None) are missing."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (members | changes).items():
            if data is not None:
                archive.writestr(name, data)


async def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    await make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with opened(path) as backup:
        backup.verify()
        sessions, rooms = backup.manifest.parts
        assert list(backup.documents(sessions)) == DOCUMENTS
        assert list(backup.documents(rooms)) == []
        assert (sessions.file, sessions.documents) == ("session/sessions.bson", 2)


@pytest.mark.parametrize(
    "data",
    [
        bson.encode(DOCUMENTS[0]),
        bson.encode(DOCUMENTS[0]) + bson.encode(DOCUMENTS[1])[:-3],
        bson.encode(DOCUMENTS[1]) + bson.encode(DOCUMENTS[0]),
        b"\x00\x00\x00\x00",
        None,
    ],
    ids=["one is missing", "the last is cut", "in another order", "no document", "the collection is missing"],
)
async def test_what_was_changed_is_refused(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "backup.zip"
    await make(path)
    repacked(path, {"session/sessions.bson": data})
    with opened(path) as backup, pytest.raises(DamagedBackup):
        backup.verify()


async def test_a_file_that_is_cut_or_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    await make(path)
    path.write_bytes(path.read_bytes()[:-30])
    for other in (path, tmp_path / "missing.zip"):
        with pytest.raises(DamagedBackup), opened(other):
            pass


async def test_a_backup_that_fails_leaves_no_file_and_none_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    with pytest.raises(bson.errors.InvalidDocument), written(path) as backup:
        await backup.add("session", "rooms", given([{"_id": object()}]))
    assert os.listdir(tmp_path) == []
    await make(path)
    with pytest.raises(FileExistsError):
        await make(path)


def test_every_aggregate_is_restored_in_a_new_era() -> None:
    """Whoever adds an aggregate adds its collection to those whose versions go on from higher."""
    for service in VERSIONED:
        importlib.import_module(f"services.{service.value}.app")
    found = {
        (one.__module__.split(".")[1], one.collection_name)
        for one in Repository.__subclasses__()
        if one.__module__.startswith("services.")
    }
    listed = {(service.value, name) for service, names in VERSIONED.items() for name in names}
    assert listed == found
