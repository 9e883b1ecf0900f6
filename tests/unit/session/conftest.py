"""A backend for each case, and a host in it."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.session.actors import Host, new_host
from tests.unit.session.backend import Backend


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    backend = Backend()
    await backend.open()
    yield backend
    await backend.close()


@pytest.fixture
async def host(backend: Backend) -> Host:
    return await new_host(backend)
