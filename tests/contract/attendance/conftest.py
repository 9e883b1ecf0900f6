"""Every case runs twice: over the database in memory and over the real server."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy.local.stack import Stack
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.attendance.fixture import Replica


@pytest.fixture
async def real_mongo(stack: Stack) -> AsyncIterator[Mongo]:
    """A fresh database on the stack's server, beside the running service's own."""
    uri = urlsplit(stack.mongodb.attendance)
    mongo = Mongo.from_uri(urlunsplit(uri._replace(path=f"/test_{new_id().replace('-', '')}")))
    yield mongo
    mongo.close()


@pytest.fixture
def mongo_in_memory() -> Mongo:
    return memory_mongo()


@pytest.fixture(params=["mongo_in_memory", "real_mongo"])
def mongo(request: pytest.FixtureRequest) -> Mongo:
    made: Mongo = request.getfixturevalue(request.param)
    return made


@pytest.fixture
async def replica(mongo: Mongo) -> Replica:
    made = Replica(mongo)
    await made.ensure_indexes()
    return made
