"""The gateway before obedient services, one for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.gateway.fixtures import GatewayFixture, running
from tests.integration.gateway.native_services import NativeServices


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayFixture]:
    async with running() as gateway:
        yield gateway


@pytest.fixture
def services(gateway: GatewayFixture) -> NativeServices:
    services = NativeServices()
    services.behind(gateway)
    return services
