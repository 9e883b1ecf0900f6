"""Waiting with a deadline, and doing things together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from deploy.demo.waiting import DemoFailed, eventually, together


def asker(answers: Iterator[int]):  # type: ignore[no-untyped-def]
    async def ask() -> int:
        return next(answers)

    return ask


async def test_the_first_accepted_answer_is_returned() -> None:
    ask = asker(iter([1, 2, 3, 4]))
    assert await eventually(ask, lambda n: n == 3, within=5, otherwise=str, every=0) == 3


async def test_the_last_answer_is_in_the_message() -> None:
    with pytest.raises(DemoFailed, match=r"still 7 \(after 0 s\)"):
        await eventually(asker(iter([7, 7])), lambda n: n == 3, within=0, otherwise="still {}".format)


async def test_the_first_failure_cancels_the_others() -> None:
    cancelled = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def fails() -> None:
        raise DemoFailed("no")

    with pytest.raises(DemoFailed, match="no"):
        await together([waits(), fails()])
    assert cancelled.is_set()
