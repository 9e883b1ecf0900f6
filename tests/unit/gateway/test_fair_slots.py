"""Places that clients share: plenty for one alone, and a share for each when they are scarce."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from services.gateway.upstreams.fair_slots import FairSlots

PATIENCE = 20.0


async def taken(slots: FairSlots, client: str) -> AsyncExitStack | None:
    """What holds a place, if there was one for this client."""
    held = AsyncExitStack()
    try:
        await held.enter_async_context(slots.hold(client, 0))
    except TimeoutError:
        return None
    return held


async def take_all(slots: FairSlots, client: str) -> list[AsyncExitStack]:
    """As many as this client gets."""
    places = []
    while (place := await taken(slots, client)) is not None:
        places.append(place)
    return places


async def test_alone_a_client_has_half_and_beside_others_each_has_its_share() -> None:
    slots = FairSlots(12, 4)
    got = {client: len(await take_all(slots, client)) for client in ("a", "b", "c")}
    assert got == {"a": 6, "b": 4, "c": 2}


async def test_who_gave_back_may_take_again() -> None:
    slots = FairSlots(12, 4)
    for place in [*await take_all(slots, "a"), *await take_all(slots, "b")]:
        await place.aclose()
    assert len(await take_all(slots, "b")) == 6


async def test_those_who_wait_take_turns_by_client() -> None:
    slots, got = FairSlots(1, 1), list[str]()
    place = await taken(slots, "first")
    assert place is not None

    async def wait(client: str) -> None:
        async with slots.hold(client, PATIENCE):
            got.append(client)
            await asyncio.sleep(0)

    waiting = [asyncio.create_task(wait(client)) for client in "aaabbc"]
    await asyncio.sleep(0)
    await place.aclose()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*waiting)
    assert "".join(got) == "abcaba"


async def test_a_place_opens_to_all_who_may_have_it() -> None:
    """With one place given back, its client is below its share and all others may have more than theirs."""
    slots = FairSlots(4, 1)
    held = [await taken(slots, client) for client in ("a", "b", "c")]
    assert await taken(slots, "c") is None
    more = [asyncio.create_task(taken_in_time(slots, client)) for client in ("c", "b", "a")]
    await asyncio.sleep(0)
    for place in held:
        assert place is not None
        await place.aclose()
    async with asyncio.timeout(PATIENCE):
        assert await asyncio.gather(*more) == [True] * 3


async def taken_in_time(slots: FairSlots, client: str) -> bool:
    async with slots.hold(client, PATIENCE):
        return True


@pytest.mark.parametrize("leaves", ["before", "at"])
async def test_who_stops_waiting_leaves_the_place_to_others(leaves: str) -> None:
    slots = FairSlots(1, 1)
    place = await taken(slots, "a")
    assert place is not None
    gone = asyncio.create_task(taken_in_time(slots, "b"))
    stays = asyncio.create_task(taken_in_time(slots, "c"))
    await asyncio.sleep(0)
    if leaves == "before":
        gone.cancel()
    await place.aclose()
    # Its turn has come, and it does not know yet.
    gone.cancel()
    async with asyncio.timeout(PATIENCE):
        assert await stays
    assert len(await take_all(slots, "d")) == 1
    with pytest.raises(asyncio.CancelledError):
        await gone
