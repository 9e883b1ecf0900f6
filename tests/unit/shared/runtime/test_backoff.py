"""Delays between attempts."""

import asyncio

import pytest

from shared.errors import Unavailable
from shared.runtime.backoff import Backoff, until_available

DEADLINE = 20.0


def test_delays_double_up_to_the_most_and_are_cut_at_random() -> None:
    longest = Backoff(0.1, 1.0, lambda: 1.0)
    assert [longest.delay(attempt) for attempt in range(5)] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert Backoff(0.1, 1.0, lambda: 0.0).delay(10_000) == 0.5


def test_the_longer_something_fails_the_rarer_it_is_logged() -> None:
    assert [attempt + 1 for attempt in range(40) if Backoff.is_news(attempt)] == [1, 2, 4, 8, 16, 32]


async def test_what_is_not_available_yet_is_tried_again() -> None:
    attempts = []

    async def attempt() -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise Unavailable("not yet")

    async with asyncio.timeout(DEADLINE):
        await until_available("something", attempt)
    assert len(attempts) == 3


async def test_what_fails_otherwise_is_not() -> None:
    async def attempt() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await until_available("something", attempt)
