"""Every case that asks for a `mongo` or a `livekit` runs twice: in memory and on the real one."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy.local.stack import Stack
from shared.bus import Publisher
from shared.clock import SystemClock
from shared.ids import new_id
from shared.livekit import LiveKit, LiveKitApi
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.fake_livekit import FakeLiveKit
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo


@pytest.fixture
async def real_mongo(stack: Stack) -> AsyncIterator[Mongo]:
    """A fresh database on the stack's server, beside the one that the running service relays from."""
    uri = urlsplit(stack.mongodb.egress)
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
async def real_livekit(stack: Stack) -> AsyncIterator[LiveKit]:
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    yield livekit
    await livekit.close()


@pytest.fixture
def fake_livekit() -> LiveKit:
    return FakeLiveKit()


@pytest.fixture(params=["fake_livekit", "real_livekit"])
def livekit(request: pytest.FixtureRequest) -> LiveKit:
    made: LiveKit = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def outbox(bus: Publisher) -> Outbox:
    return Outbox(bus, SystemClock(), source="/greenroom/egress")
