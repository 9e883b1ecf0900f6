"""Every case runs twice: on the database in memory and on the real one."""

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from services.session.catalog.presets.repository import PresetRepository
from services.session.catalog.rooms.repository import RoomRepository
from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.repository import SessionRepository
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.contract.shared.databases import database_of_its_own
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
def outbox(clock: FakeClock) -> Outbox:
    return Outbox(MemoryBus(), clock, source="/greenroom/session")


@pytest.fixture
async def sessions(mongo: Mongo, outbox: Outbox, clock: FakeClock) -> SessionRepository:
    made = SessionRepository(mongo, outbox, clock)
    await made.ensure_indexes()
    return made


@pytest.fixture
async def presets(mongo: Mongo, outbox: Outbox, clock: FakeClock) -> PresetRepository:
    made = PresetRepository(mongo, outbox, clock)
    await made.ensure_indexes()
    return made


@pytest.fixture
async def rooms(mongo: Mongo, outbox: Outbox, clock: FakeClock) -> RoomRepository:
    made = RoomRepository(mongo, outbox, clock)
    await made.ensure_indexes()
    return made


@pytest.fixture
async def users(mongo: Mongo, outbox: Outbox, clock: FakeClock) -> UserRepository:
    made = UserRepository(mongo, outbox, clock)
    await made.ensure_indexes()
    return made
