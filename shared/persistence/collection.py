"""One collection of MongoDB, with the driver's errors as ours.

A broken unique index is `Duplicate`, a server that does not answer is `shared.errors.Unavailable`. Import
these names from `shared.persistence.mongo`.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import Counter
from pymongo import DeleteOne, IndexModel, InsertOne, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)

from shared.errors import Unavailable
from shared.runtime import tracing
from shared.runtime.metrics import Durations
from shared.runtime.tracing import Span, SpanKind

Document = dict[str, Any]
Sort = Sequence[tuple[str, int]]

_DUPLICATE_KEY = 11000
# IndexOptionsConflict and IndexKeySpecsConflict: there is an index of that name which is another.
_OTHER_OPTIONS = frozenset({85, 86})
# What a server says while it steps down, shuts down or cannot reach its majority; the call may be repeated.
_TRANSIENT_CODES = frozenset({6, 7, 64, 89, 91, 100, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})

_OPERATIONS = Durations(
    "greenroom_database_seconds",
    "Time of one database operation, by collection",
    ("collection", "operation"),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5),
)
_FAILED = Counter(
    "greenroom_database_failures_total",
    "Database operations that failed: `unavailable`, or `refused` by the server",
    ["collection", "operation", "reason"],
)


class Duplicate(Exception):
    """A write would break a unique index; nothing of it was stored."""


@dataclass(frozen=True)
class Index:
    """An index a repository needs: its fields with their directions, and what it guarantees."""

    fields: Sort
    unique: bool = False
    sparse: bool = False
    expire_after_seconds: int | None = None

    @property
    def name(self) -> str:
        return "_".join(f"{name}_{direction}" for name, direction in self.fields)


@dataclass(frozen=True)
class BulkOutcome:
    """What a bulk write did: documents matched and changed, and the positions refused as duplicates."""

    matched: int
    modified: int
    duplicates: frozenset[int] = field(default_factory=frozenset)


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """A call of the driver, its errors as ours."""
    try:
        yield
    except DuplicateKeyError as error:
        raise Duplicate(str((error.details or {}).get("errmsg", "duplicate key"))) from error
    except ConnectionFailure as error:
        raise Unavailable("The database does not answer") from error
    except PyMongoError as error:
        if getattr(error, "code", None) in _TRANSIENT_CODES or error.timeout:
            raise Unavailable("The database does not answer") from error
        raise


def database_step(operation: str, collection: str) -> AbstractContextManager[Span]:
    """What is done to which collection as a step of the current trace: nothing of the documents."""
    if not tracing.is_on():
        return tracing.NOTHING
    attributes = {
        "db.system.name": "mongodb",
        "db.operation.name": operation,
        "db.collection.name": collection,
    }
    return tracing.child(f"{operation} {collection}", SpanKind.CLIENT, attributes)


class Collection:
    """One collection. Times go in and come out as UTC; reads see only what a majority keeps.

    With `expiry` the database removes what has expired by an index, else `ensure_indexes` does.
    """

    def __init__(self, collection: Any, *, expiry: bool = True):
        self._collection = collection
        self._expiry = expiry
        self.name = str(collection.name)

    @asynccontextmanager
    async def _call(self, operation: str) -> AsyncIterator[None]:
        """One operation: measured, a step of the current trace, its errors as ours."""
        started = time.perf_counter()
        try:
            with database_step(operation, self.name):
                async with translated():
                    yield
        except Exception as error:
            if not isinstance(error, Duplicate):
                reason = "unavailable" if isinstance(error, Unavailable) else "refused"
                _FAILED.labels(self.name, operation, reason).inc()
            raise
        finally:
            _OPERATIONS.observe((self.name, operation), time.perf_counter() - started)

    async def ensure_indexes(self, indexes: Sequence[Index]) -> None:
        lasting = [_model(index) for index in indexes if index.expire_after_seconds is None]
        async with self._call("ensure_indexes"):
            if lasting:
                await self._collection.create_indexes(lasting)
        for index in indexes:
            if index.expire_after_seconds is not None:
                await self._ensure_expiring(index, timedelta(seconds=index.expire_after_seconds))

    async def _ensure_expiring(self, index: Index, kept: timedelta) -> None:
        """Made again if its expiry differs: only that of an index that has one can be changed."""
        model = _model(index, kept if self._expiry else None)
        async with self._call("ensure_indexes"):
            try:
                await self._collection.create_indexes([model])
            except OperationFailure as error:
                if error.code not in _OTHER_OPTIONS:
                    raise
                await self._collection.drop_index(index.name)
                await self._collection.create_indexes([model])
        if not self._expiry:
            [(name, _)] = index.fields
            await self.delete_many({name: {"$lt": datetime.now(UTC) - kept}})

    async def find_one(self, query: Document, fields: Sequence[str] | None = None) -> Document | None:
        async with self._call("find_one"):
            found: Document | None = await self._collection.find_one(query, list(fields) if fields else None)
        return found

    async def find(
        self,
        query: Document,
        *,
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
        fields: Sequence[str] | None = None,
    ) -> list[Document]:
        """The documents that match; `limit` 0 means all of them."""
        cursor = self._collection.find(
            query, list(fields) if fields else None, sort=list(sort) if sort else None, skip=skip, limit=limit
        )
        async with self._call("find"):
            documents: list[Document] = await cursor.to_list(length=None)
        return documents

    async def count(self, query: Document, *, limit: int) -> int:
        """How many match, counted no further than `limit`."""
        async with self._call("count"):
            return int(await self._collection.count_documents(query, limit=limit))

    async def aggregate(self, pipeline: Sequence[Document]) -> list[Document]:
        async with self._call("aggregate"):
            documents: list[Document] = await self._collection.aggregate(list(pipeline)).to_list(length=None)
        return documents

    async def insert(self, document: Document) -> None:
        """Store a new document; raises `Duplicate`."""
        async with self._call("insert"):
            await self._collection.insert_one(document)

    async def insert_many(self, documents: Sequence[Document]) -> BulkOutcome:
        """Store new documents in one write; those that break a unique index are left out and reported."""
        return await self.bulk([InsertOne(document) for document in documents])

    async def update(self, query: Document, change: Document, *, upsert: bool = False) -> int:
        """Change one document; returns how many matched (an upsert that inserted counts as one)."""
        async with self._call("update"):
            result = await self._collection.update_one(query, change, upsert=upsert)
        return int(result.matched_count) or (1 if result.upserted_id is not None else 0)

    async def update_many(self, query: Document, change: Document) -> int:
        async with self._call("update_many"):
            return int((await self._collection.update_many(query, change)).modified_count)

    async def find_and_update(
        self, query: Document, change: Document, *, upsert: bool = False
    ) -> Document | None:
        """Change one document and return it as it is afterwards; None if nothing matched."""
        async with self._call("find_and_update"):
            found: Document | None = await self._collection.find_one_and_update(
                query, change, upsert=upsert, return_document=True
            )
        return found

    async def find_and_delete(self, query: Document) -> Document | None:
        async with self._call("find_and_delete"):
            found: Document | None = await self._collection.find_one_and_delete(query)
        return found

    async def delete_many(self, query: Document) -> int:
        async with self._call("delete_many"):
            return int((await self._collection.delete_many(query)).deleted_count)

    async def bulk(self, operations: Sequence[InsertOne[Any] | UpdateOne | DeleteOne]) -> BulkOutcome:
        """Apply many writes in one round trip, in no particular order."""
        if not operations:
            return BulkOutcome(0, 0)
        async with self._call("bulk"):
            try:
                result = await self._collection.bulk_write(list(operations), ordered=False)
            except BulkWriteError as error:
                return _partial(error)
        return BulkOutcome(result.matched_count, result.modified_count)


def _model(index: Index, kept: timedelta | None = None) -> IndexModel:
    options: dict[str, Any] = {"name": index.name, "unique": index.unique, "sparse": index.sparse}
    if kept is not None:
        options["expireAfterSeconds"] = int(kept.total_seconds())
    return IndexModel(list(index.fields), **options)


def _partial(error: BulkWriteError) -> BulkOutcome:
    details: Mapping[str, Any] = error.details or {}
    failures = details.get("writeErrors", [])
    others = [failure for failure in failures if failure.get("code") != _DUPLICATE_KEY]
    if others or details.get("writeConcernErrors"):
        if any(failure.get("code") in _TRANSIENT_CODES for failure in others) or not others:
            raise Unavailable("The database does not answer") from error
        raise error
    duplicates = frozenset(int(failure["index"]) for failure in failures)
    return BulkOutcome(details.get("nMatched", 0), details.get("nModified", 0), duplicates)
