"""The published client before a gateway whose services answer what a test lays out."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from signalwire.rest import RestClient

from tests.integration.gateway.fixtures import KEY_ID, SECRET, GatewayFixture, running
from tests.integration.gateway.signalwire.published_client import Calling


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[GatewayFixture]:
    async with running() as gateway:
        gateway.session.api_keys[KEY_ID] = SECRET
        yield gateway


@pytest.fixture
def call(gateway: GatewayFixture) -> Calling:
    client = RestClient(project=KEY_ID, token=SECRET, host=f"127.0.0.1:{gateway.port}")
    return lambda made: asyncio.to_thread(made, client)
