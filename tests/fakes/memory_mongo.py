"""The memory form of the database: the same `Mongo` over mongomock."""

from collections.abc import Sequence
from typing import Any

from bson.codec_options import CodecOptions
from mongomock import DuplicateKeyError
from mongomock_motor import AsyncMongoMockClient

from shared.persistence.mongo import (
    BulkOutcome,
    Collection,
    DeleteOne,
    Duplicate,
    InsertOne,
    Mongo,
    UpdateOne,
)


def memory_mongo(database: str = "greenroom") -> Mongo:
    """An empty database in this process; times come back in UTC as from the real one."""
    client: Any = AsyncMongoMockClient()
    options: CodecOptions[Any] = CodecOptions(tz_aware=True)
    return MemoryMongo(client, client.get_database(database, codec_options=options))


class MemoryMongo(Mongo):
    def collection(self, name: str) -> Collection:
        return MemoryCollection(self._database[name], expiry=self.expiry)


class MemoryCollection(Collection):
    async def bulk(self, operations: Sequence[InsertOne[Any] | UpdateOne | DeleteOne]) -> BulkOutcome:
        """Write by write: mongomock's own bulk write does not understand this driver's operations."""
        matched = modified = 0
        duplicates: set[int] = set()
        for position, operation in enumerate(operations):
            try:
                if isinstance(operation, InsertOne):
                    await self.insert(operation._doc)
                elif isinstance(operation, DeleteOne):
                    await self._collection.delete_one(operation._filter)
                else:
                    result = await self._collection.update_one(
                        operation._filter,
                        operation._doc,
                        upsert=bool(operation._upsert),
                        array_filters=operation._array_filters,
                    )
                    matched += result.matched_count
                    modified += result.modified_count
            except (Duplicate, DuplicateKeyError):
                duplicates.add(position)
        return BulkOutcome(matched, modified, frozenset(duplicates))
