"""Restore the three databases from one file, while no service runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.backup.archive import BackupManifest, BackupPart, BackupReader, opened
from deploy.backup.catch_up import CaughtUp, catch_up, unpublished_outbox
from deploy.backup.databases import VERSIONED, BackedUp, Databases, databases_at, is_kept
from shared.clock import SystemClock
from shared.errors import Conflict
from shared.http.audit import AuditTrail, command_actor
from shared.persistence.mongo import Collection, Document, Mongo

# More than a document can change between two parts of a backup, or between a backup and what destroyed it.
NEW_ERA: Final = 1_000_000
_BATCH = 500


@dataclass(frozen=True)
class Restored:
    manifest: BackupManifest
    caught_up: CaughtUp


async def restore(path: Path, uris: Mapping[BackedUp, str], *, force: bool) -> Restored:
    """Check the whole file, then write it, then have the followers catch up.

    Raises `DamagedBackup` for a damaged file and `Conflict` if there are documents, before anything is
    written; with `force` those are deleted. After `Unavailable` it is repeated with `force`.
    """
    with opened(path) as backup, databases_at(uris) as databases:
        backup.verify()
        await _empty(databases, force=force)
        for part in backup.manifest.parts:
            await _write(backup, part, databases)
        caught_up = await catch_up(databases, backup.manifest.started_at)
        await _record(databases[BackedUp.SESSION], path)
        return Restored(backup.manifest, caught_up)


async def _record(mongo: Mongo, path: Path) -> None:
    """Put it into the audit log."""
    trail = AuditTrail(mongo, unpublished_outbox(), SystemClock(), service="session")
    await trail.ensure_indexes()
    await trail.done("greenroom restore", command_actor(), path.name)


async def _empty(databases: Databases, *, force: bool) -> None:
    for service, mongo in databases.items():
        for name in await mongo.collections():
            collection = mongo.collection(name)
            if not force and is_kept(name) and await collection.find_one({}, fields=["_id"]):
                raise Conflict(f"The database of {service} is not empty: {name} has documents")
            if force:
                await collection.delete_many({})


async def _write(backup: BackupReader, part: BackupPart, databases: Databases) -> None:
    service = BackedUp(part.service)
    collection = databases[service].collection(part.collection)
    documents: Iterable[Document] = backup.documents(part)
    if part.collection in VERSIONED[service]:
        documents = map(_in_new_era, documents)
    for batch in _batches(documents):
        await _insert(collection, batch)


async def _insert(collection: Collection, batch: list[Document]) -> None:
    if (await collection.insert_many(batch)).duplicates:
        raise Conflict(
            f"{collection.name} was written to meanwhile: stop the services and repeat with --force"
        )


def _in_new_era(document: Document) -> Document:
    """Newer than whatever anybody has seen of it, so that it is followed again from here."""
    return document | {"version": document["version"] + NEW_ERA}


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    iterator = iter(documents)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch
