"""Back up the three databases into one file. Services may run meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from deploy.backup.archive import BackupManifest, written
from deploy.backup.databases import BackedUp, databases_at, is_kept
from shared.clock import SystemClock


async def back_up(path: Path, uris: Mapping[BackedUp, str]) -> BackupManifest:
    """What the file has then. Raises FileExistsError and `Unavailable`; then there is no file."""
    clock = SystemClock()
    started_at = clock.now()
    with databases_at(uris) as databases, written(path) as backup:
        for service, mongo in databases.items():
            for name in filter(is_kept, await mongo.collections()):
                await backup.add(service, name, mongo.raw_documents(name))
        manifest = BackupManifest(
            release=version("greenroom"), started_at=started_at, finished_at=clock.now(), parts=backup.parts
        )
        backup.finish(manifest)
    return manifest
