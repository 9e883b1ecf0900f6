"""MongoDB: the only module that imports the driver.

Every client writes with `w=majority, j=true`; `Mongo.connect` refuses a server that does not
acknowledge such a write. Driver errors become ours: a broken unique index is `Duplicate`, a server
that does not answer is `shared.errors.Unavailable`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, DeleteOne, IndexModel, InsertOne, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.errors import Unavailable

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "Collection",
    "DeleteOne",
    "Document",
    "Duplicate",
    "Index",
    "InsertOne",
    "Mongo",
    "UpdateOne",
]

Document = dict[str, Any]
Sort = Sequence[tuple[str, int]]

_DUPLICATE_KEY = 11000
# IndexOptionsConflict and IndexKeySpecsConflict: there is an index of that name which is another.
_OTHER_OPTIONS = frozenset({85, 86})
# What a server says while it steps down, shuts down or cannot reach its majority; the call may be repeated.
_TRANSIENT_CODES = frozenset({6, 7, 64, 89, 91, 100, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})


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

    def model(self, *, expiry: bool = True) -> IndexModel:
        """As the driver wants it; without `expiry` nothing expires by it."""
        options: dict[str, Any] = {"name": self.name, "unique": self.unique, "sparse": self.sparse}
        if expiry and self.expire_after_seconds is not None:
            options["expireAfterSeconds"] = self.expire_after_seconds
        return IndexModel(list(self.fields), **options)


@dataclass(frozen=True)
class BulkOutcome:
    """What a bulk write did: documents matched and changed, and the positions refused as duplicates."""

    matched: int
    modified: int
    duplicates: frozenset[int] = field(default_factory=frozenset)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except DuplicateKeyError as error:
        raise Duplicate(str((error.details or {}).get("errmsg", "duplicate key"))) from error
    except ConnectionFailure as error:
        raise Unavailable("The database is unavailable") from error
    except PyMongoError as error:
        if getattr(error, "code", None) in _TRANSIENT_CODES or error.timeout:
            raise Unavailable("The database is unavailable") from error
        raise


class Collection:
    """One collection. Times go in and come out as UTC; reads see only what a majority keeps.

    With `expiry` the database removes what has expired by an index, else `ensure_indexes` does.
    """

    def __init__(self, collection: Any, *, expiry: bool = True):
        self._collection = collection
        self._expiry = expiry

    @property
    def name(self) -> str:
        return str(self._collection.name)

    async def ensure_indexes(self, indexes: Sequence[Index]) -> None:
        lasting = [index.model() for index in indexes if index.expire_after_seconds is None]
        async with _translated():
            if lasting:
                await self._collection.create_indexes(lasting)
            for index in indexes:
                if index.expire_after_seconds is not None:
                    await self._ensure_expiring(index)
        if not self._expiry:
            await self._remove_expired(indexes)

    async def _ensure_expiring(self, index: Index) -> None:
        """Anew, where it was made with another expiry: only that of an index that has one can be changed."""
        model = index.model(expiry=self._expiry)
        try:
            await self._collection.create_indexes([model])
        except OperationFailure as error:
            if error.code not in _OTHER_OPTIONS:
                raise
            await self._collection.drop_index(index.name)
            await self._collection.create_indexes([model])

    async def _remove_expired(self, indexes: Sequence[Index]) -> None:
        for index in indexes:
            if index.expire_after_seconds is not None:
                [(name, _)] = index.fields
                before = datetime.now(UTC) - timedelta(seconds=index.expire_after_seconds)
                await self.delete_many({name: {"$lt": before}})

    async def find_one(self, query: Document, fields: Sequence[str] | None = None) -> Document | None:
        async with _translated():
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
        cursor = self._collection.find(query, list(fields) if fields else None)
        if sort:
            cursor = cursor.sort(list(sort))
        if skip:
            cursor = cursor.skip(skip)
        if limit:
            cursor = cursor.limit(limit)
        async with _translated():
            documents: list[Document] = await cursor.to_list(length=None)
        return documents

    async def count(self, query: Document, *, limit: int) -> int:
        """How many match, counted no further than `limit`."""
        async with _translated():
            return int(await self._collection.count_documents(query, limit=limit))

    async def aggregate(self, pipeline: Sequence[Document]) -> list[Document]:
        async with _translated():
            documents: list[Document] = await self._collection.aggregate(list(pipeline)).to_list(length=None)
        return documents

    async def insert(self, document: Document) -> None:
        """Store a new document; raises `Duplicate`."""
        async with _translated():
            await self._collection.insert_one(document)

    async def insert_many(self, documents: Sequence[Document]) -> BulkOutcome:
        """Store new documents in one write; those that break a unique index are left out and reported."""
        return await self.bulk([InsertOne(document) for document in documents])

    async def update(self, query: Document, change: Document, *, upsert: bool = False) -> int:
        """Change one document; returns how many matched (an upsert that inserted counts as one)."""
        async with _translated():
            result = await self._collection.update_one(query, change, upsert=upsert)
        return int(result.matched_count) or (1 if result.upserted_id is not None else 0)

    async def update_many(self, query: Document, change: Document) -> int:
        async with _translated():
            return int((await self._collection.update_many(query, change)).modified_count)

    async def find_and_update(
        self, query: Document, change: Document, *, upsert: bool = False
    ) -> Document | None:
        """Change one document and return it as it is afterwards; None where nothing matched."""
        async with _translated():
            found: Document | None = await self._collection.find_one_and_update(
                query, change, upsert=upsert, return_document=True
            )
        return found

    async def find_and_delete(self, query: Document) -> Document | None:
        async with _translated():
            found: Document | None = await self._collection.find_one_and_delete(query)
        return found

    async def delete_many(self, query: Document) -> int:
        async with _translated():
            return int((await self._collection.delete_many(query)).deleted_count)

    async def bulk(self, operations: Sequence[InsertOne[Any] | UpdateOne | DeleteOne]) -> BulkOutcome:
        """Apply many writes in one round trip, in no particular order."""
        if not operations:
            return BulkOutcome(0, 0)
        async with _translated():
            try:
                result = await self._collection.bulk_write(list(operations), ordered=False)
            except BulkWriteError as error:
                return _partial(error)
        return BulkOutcome(result.matched_count, result.modified_count)

    async def explain(
        self, query: Document, *, sort: Sort | None = None, skip: int = 0, limit: int = 0
    ) -> Document:
        """The server's execution statistics for this read."""
        database = self._collection.database
        find: Document = {"find": self.name, "filter": query}
        if sort:
            find["sort"] = dict(sort)
        if skip:
            find["skip"] = skip
        if limit:
            find["limit"] = limit
        async with _translated():
            plan: Document = await database.command({"explain": find, "verbosity": "executionStats"})
        return plan


def _partial(error: BulkWriteError) -> BulkOutcome:
    details: Mapping[str, Any] = error.details or {}
    failures = details.get("writeErrors", [])
    others = [failure for failure in failures if failure.get("code") != _DUPLICATE_KEY]
    if others or details.get("writeConcernErrors"):
        if any(failure.get("code") in _TRANSIENT_CODES for failure in others) or not others:
            raise Unavailable("The database is unavailable") from error
        raise error
    duplicates = frozenset(int(failure["index"]) for failure in failures)
    return BulkOutcome(details.get("nMatched", 0), details.get("nModified", 0), duplicates)


class Mongo:
    """One service's database: the client, its deadline, and the collections."""

    def __init__(self, client: Any, database: Any, *, expiry: bool = True):
        self._client = client
        self._database = database
        self.expiry = expiry

    @classmethod
    def from_uri(cls, uri: str, *, timeout: float = 5.0, expiry: bool = True) -> "Mongo":
        """A client for the database named in the URI's path; nothing is sent yet.

        `timeout` bounds each operation in seconds, choosing a server included. `expiry` tells whether the
        database is to remove by itself what has expired.
        """
        milliseconds = int(timeout * 1000)
        client: Any = AsyncIOMotorClient(
            uri,
            tz_aware=True,
            tzinfo=UTC,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=2 * milliseconds,
            heartbeatFrequencyMS=2000,
            appname="greenroom",
        )
        database = client.get_default_database().with_options(
            write_concern=WriteConcern(w="majority", j=True, wtimeout=milliseconds),
            read_concern=ReadConcern("local"),
        )
        return cls(client, database, expiry=expiry)

    def collection(self, name: str) -> Collection:
        return Collection(self._database[name], expiry=self.expiry)

    async def check_journal(self) -> None:
        """Write once with the journal asked for; raises where the server cannot promise it."""
        async with _translated():
            await self._database["_start_checks"].update_one(
                {"_id": "journal"}, {"$set": {"checked_at": datetime.now(UTC)}}, upsert=True
            )

    async def ping(self) -> None:
        async with _translated():
            await self._database.command("ping")

    def close(self) -> None:
        self._client.close()
