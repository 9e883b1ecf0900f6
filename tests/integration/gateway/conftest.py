"""The gateway before obedient services, one for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.gateway.fixtures import GatewayFixture, running


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayFixture]:
    async with running() as gateway:
        yield gateway
