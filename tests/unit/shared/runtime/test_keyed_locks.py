"""KeyedLocks are taken in the order people came, for each key by itself."""

import asyncio

from shared.runtime.tasks import KeyedLocks


async def test_turns_are_taken_one_after_the_other() -> None:
    turns, order = KeyedLocks(), list[str]()

    async def take(name: str, key: str) -> None:
        async with turns.of(key):
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(take("anna", "a"), take("berta", "a"), take("carla", "a"))
    assert order == [f"{name} {what}" for name in ("anna", "berta", "carla") for what in ("begins", "ends")]


async def test_keys_do_not_wait_for_each_other() -> None:
    turns = KeyedLocks()
    async with turns.of("a"), asyncio.timeout(5), turns.of("b"):
        assert turns.taken("a")
        assert turns.taken("b")
        assert not turns.taken("c")


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    turns = KeyedLocks()
    async with turns.of("a"):
        waiting = asyncio.create_task(turns.of("a").acquire())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
    assert not turns.taken("a")
    async with asyncio.timeout(5), turns.of("a"):
        assert turns.taken("a")
