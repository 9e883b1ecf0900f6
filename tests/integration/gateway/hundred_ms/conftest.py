"""The published client's requests before a gateway whose services answer what a test lays out."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.gateway.fixtures import KEY_ID, SECRET, GatewayFixture, running
from tests.integration.gateway.hundred_ms.published_client import HundredMsClient


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[GatewayFixture]:
    async with running() as gateway:
        gateway.session.api_keys[KEY_ID] = SECRET
        yield gateway


@pytest.fixture
def client(gateway: GatewayFixture) -> HundredMsClient:
    return HundredMsClient(gateway.http, gateway.url)
