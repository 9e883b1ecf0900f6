"""The memory form of the database: the same `Mongo` over mongomock."""

from datetime import UTC
from typing import Any

from bson.codec_options import CodecOptions
from mongomock_motor import AsyncMongoMockClient

from shared.mongo import Mongo


def memory_mongo(database: str = "greenroom") -> Mongo:
    """An empty database in this process; times come back in UTC as from the real one."""
    client: Any = AsyncMongoMockClient()
    options: CodecOptions[Any] = CodecOptions(tz_aware=True, tzinfo=UTC)
    return Mongo(client, client.get_database(database, codec_options=options))
