"""Every case that asks for a `broker` is played twice: on the broker in memory and on the real one."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.bus.brokers import BrokerFixture, MemoryBrokerFixture, RabbitFixture
from tests.contract.bus.rabbitmq_node import RabbitMqNode


@pytest.fixture(scope="session")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RabbitMqNode]:
    node = RabbitMqNode(tmp_path_factory.mktemp("rabbitmq"))
    try:
        await node.start()
        yield node
    finally:
        await node.stop()


@pytest.fixture
async def rabbit_broker(node: RabbitMqNode) -> AsyncIterator[RabbitFixture]:
    broker = RabbitFixture(node)
    yield broker
    await broker.close()


@pytest.fixture
async def memory_broker() -> AsyncIterator[MemoryBrokerFixture]:
    broker = MemoryBrokerFixture()
    yield broker
    await broker.close()


@pytest.fixture(params=["memory_broker", "rabbit_broker"])
def broker(request: pytest.FixtureRequest) -> BrokerFixture:
    made: BrokerFixture = request.getfixturevalue(request.param)
    return made
