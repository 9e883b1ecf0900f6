"""A house for each case, and a host in it."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.session.hosting import Host, new_host
from tests.unit.session.house import House


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    await house.open()
    yield house
    await house.close()


@pytest.fixture
async def host(house: House) -> Host:
    return await new_host(house)
