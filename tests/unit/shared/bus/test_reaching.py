"""What becomes of what the AMQP client raises while the broker is asked for something."""

import asyncio

import pytest
from aiormq.exceptions import ConnectionClosed

from shared.bus.rabbit_connection import reaching
from shared.errors import Unavailable


@pytest.mark.parametrize(
    "error", [Exception(), asyncio.CancelledError(), ConnectionClosed(541, "INTERNAL_ERROR"), OSError()]
)
async def test_a_connection_that_is_lost_makes_the_broker_unavailable(error: BaseException) -> None:
    with pytest.raises(Unavailable):
        async with reaching("asking"):
            raise error


async def test_a_fault_of_ours_stays_one() -> None:
    with pytest.raises(KeyError):
        async with reaching("asking"):
            raise KeyError
