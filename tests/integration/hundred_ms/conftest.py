"""Two accounts on the running stack, and people in their rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from tests.contract.api.room_connections import RoomConnections, room_connections
from tests.integration.hundred_ms.account import Account, an_account


@pytest.fixture(scope="module")
async def account(stack: Stack) -> AsyncIterator[Account]:
    async with an_account(stack) as made:
        yield made


@pytest.fixture(scope="module")
async def stranger(stack: Stack) -> AsyncIterator[Account]:
    async with an_account(stack) as made:
        yield made


@pytest.fixture(scope="module")
async def connections(stack: Stack) -> AsyncIterator[RoomConnections]:
    async with room_connections(stack) as opened:
        yield opened
