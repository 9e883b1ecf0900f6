"""Every case that asks for a `stage` is played twice: on the broker in memory and on the real one."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.bus.node import Node
from tests.contract.bus.stages import MemoryStage, RabbitStage, Stage


@pytest.fixture(scope="session")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    node = Node(tmp_path_factory.mktemp("rabbitmq"))
    try:
        await node.start()
        yield node
    finally:
        await node.stop()


@pytest.fixture
async def rabbit_stage(node: Node) -> AsyncIterator[RabbitStage]:
    stage = RabbitStage(node)
    yield stage
    await stage.close()


@pytest.fixture
async def memory_stage() -> AsyncIterator[MemoryStage]:
    stage = MemoryStage()
    yield stage
    await stage.close()


@pytest.fixture(params=["memory_stage", "rabbit_stage"])
def stage(request: pytest.FixtureRequest) -> Stage:
    made: Stage = request.getfixturevalue(request.param)
    return made
