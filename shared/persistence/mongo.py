"""MongoDB: the client. With `collection` the only module that imports the driver.

Every client writes with `w=majority, j=true`; `Mongo.check_journal` fails on a server that does not
acknowledge such a write.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, DeleteOne, InsertOne, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.persistence.collection import (
    BulkOutcome,
    Collection,
    Document,
    Duplicate,
    Index,
    Sort,
    translated,
)

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "BulkOutcome",
    "Collection",
    "DeleteOne",
    "Document",
    "Duplicate",
    "Index",
    "InsertOne",
    "Mongo",
    "Sort",
    "UpdateOne",
]


class Mongo:
    """One service's database: the client, its deadline, and the collections."""

    def __init__(self, client: Any, database: Any, *, expiry: bool = True):
        self._client = client
        self._database = database
        self.expiry = expiry

    @classmethod
    def from_uri(cls, uri: str, *, timeout: float = 5.0, expiry: bool = True) -> "Mongo":
        """A client for the database named in the URI's path; nothing is sent yet.

        `timeout` bounds each operation in seconds, choosing a server included. `expiry` says whether the
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

    async def indexes(self) -> list[tuple[str, Document]]:
        """Every index but those of ids: its collection, and its definition."""
        async with translated():
            names = sorted(await self._database.list_collection_names())
            return [
                (name, dict(index))
                for name in names
                async for index in self._database[name].list_indexes()
                if index["name"] != "_id_"
            ]

    async def collections(self) -> list[str]:
        """The names of all collections, in alphabetical order."""
        async with translated():
            return sorted(await self._database.list_collection_names())

    async def raw_documents(self, name: str) -> AsyncIterator[bytes]:
        """All documents of a collection as BSON, by id; a batch of them is in memory at a time."""
        options = self._database.codec_options.with_options(document_class=RawBSONDocument)
        collection = self._database.get_collection(name, codec_options=options)
        async with translated():
            async for document in collection.find({}, batch_size=500).sort("_id", ASCENDING):
                yield document.raw

    def collection(self, name: str) -> Collection:
        return Collection(self._database[name], expiry=self.expiry)

    async def check_journal(self) -> None:
        """Write once with the journal asked for; raises if the server cannot promise it."""
        async with translated():
            await self._database["_start_checks"].update_one(
                {"_id": "journal"}, {"$set": {"checked_at": datetime.now(UTC)}}, upsert=True
            )

    async def ping(self) -> None:
        async with translated():
            await self._database.command("ping")

    def close(self) -> None:
        self._client.close()
