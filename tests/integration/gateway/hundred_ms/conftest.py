"""The published client's requests before a gateway whose services answer what a test lays out."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.gateway.fixtures import KEY_ID, GatewayFixture, running
from tests.integration.gateway.hundred_ms.published_client import SECRET, HundredMsClient
from tests.integration.gateway.native_services import NativeServices


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[GatewayFixture]:
    async with running() as gateway:
        gateway.session.api_keys[KEY_ID] = SECRET
        yield gateway


@pytest.fixture
def services(gateway: GatewayFixture) -> NativeServices:
    services = NativeServices()
    services.behind(gateway)
    return services


@pytest.fixture
def client(gateway: GatewayFixture) -> HundredMsClient:
    return HundredMsClient(gateway.http, gateway.url)
