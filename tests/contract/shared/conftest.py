"""Every case that asks for a `mongo` runs twice: on the database in memory and on the real one."""

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.contract.shared.databases import database_of_its_own
from tests.contract.shared.example_aggregate import Things
from tests.fakes.fake_clock import FakeClock
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo


@pytest.fixture
def real_mongo(stack: Stack) -> Iterator[Mongo]:
    with database_of_its_own(stack.mongodb.session) as mongo:
        yield mongo


@pytest.fixture
def mongo_in_memory() -> Mongo:
    return memory_mongo()


@pytest.fixture(params=["mongo_in_memory", "real_mongo"])
def mongo(request: pytest.FixtureRequest) -> Mongo:
    made: Mongo = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def outbox(bus: MemoryBus, clock: FakeClock) -> Outbox:
    return Outbox(bus, clock, source="/greenroom/tests")


@pytest.fixture
async def things(mongo: Mongo, outbox: Outbox, clock: FakeClock) -> Things:
    repository = Things(mongo, outbox, clock)
    await repository.ensure_indexes()
    return repository
