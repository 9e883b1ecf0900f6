"""The gateway before obedient services, one for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.gateway.rig import Rig, running


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running() as rig:
        yield rig
