"""The keys of repeated calls: one record each, one holder at a time."""

import asyncio

import pytest

from shared.errors import Conflict, InvalidRequest
from shared.http.idempotency import IdempotencyKeys, Reservation
from shared.persistence.mongo import Mongo
from tests.fakes.fake_clock import FakeClock


@pytest.fixture
async def keys(mongo: Mongo, clock: FakeClock) -> IdempotencyKeys:
    made = IdempotencyKeys(mongo, clock)
    await made.ensure_indexes()
    return made


async def call(
    keys: IdempotencyKeys,
    body: bytes = b"{}",
    *,
    caller: str = "anna",
    route: str = "POST /rooms",
    key: str = "k1",
) -> Reservation:
    async with keys.hold(caller=caller, route=route, key=key, body=body) as reservation:
        return reservation


async def fail(keys: IdempotencyKeys, ids: list[str]) -> None:
    async with keys.hold(caller="anna", route="POST /rooms", key="k1", body=b"{}") as reservation:
        ids.append(reservation.id)
        raise ZeroDivisionError


async def test_a_repeated_call_gets_the_same_id(keys: IdempotencyKeys) -> None:
    first, second = await call(keys), await call(keys)
    assert (first.repeated, second.repeated) == (False, True)
    assert first.id == second.id


async def test_another_caller_route_or_key_is_another_call(keys: IdempotencyKeys) -> None:
    calls = [
        await call(keys),
        await call(keys, caller="berta"),
        await call(keys, route="POST /presets"),
        await call(keys, key="k2"),
    ]
    assert len({reservation.id for reservation in calls}) == 4


async def test_another_body_is_refused_once_and_for_all(keys: IdempotencyKeys) -> None:
    first = await call(keys)
    with pytest.raises(InvalidRequest) as refusal:
        await call(keys, b'{"a":1}')
    assert [entry.field for entry in refusal.value.errors] == ["Idempotency-Key"]
    assert (await call(keys)).id == first.id


async def test_what_failed_is_tried_again_under_its_id(keys: IdempotencyKeys) -> None:
    ids: list[str] = []
    with pytest.raises(ZeroDivisionError):
        await fail(keys, ids)
    again = await call(keys)
    assert (again.id, again.repeated) == (ids[0], False)


async def test_a_duplicate_in_flight_waits_for_the_first(keys: IdempotencyKeys) -> None:
    inside, let_go = asyncio.Event(), asyncio.Event()

    async def slow() -> Reservation:
        async with keys.hold(caller="anna", route="POST /rooms", key="k1", body=b"{}") as reservation:
            inside.set()
            await let_go.wait()
            return reservation

    first = asyncio.create_task(slow())
    await inside.wait()
    second = asyncio.create_task(call(keys))
    done, _ = await asyncio.wait({second}, timeout=0.12)
    assert not done
    let_go.set()
    assert (await second).id == (await first).id
    assert (await second).repeated


async def test_a_hundred_duplicates_are_answered_side_by_side(keys: IdempotencyKeys) -> None:
    meeting = asyncio.Barrier(99)

    async def repeat() -> Reservation:
        async with keys.hold(caller="anna", route="POST /rooms", key="k1", body=b"{}") as reservation:
            await meeting.wait()
            return reservation

    async with asyncio.timeout(30):
        async with keys.hold(caller="anna", route="POST /rooms", key="k1", body=b"{}") as first:
            others = asyncio.gather(*(repeat() for _ in range(99)))
            await asyncio.wait({others}, timeout=0.05)
        assert {(one.id, one.repeated) for one in await others} == {(first.id, True)}


async def test_who_waited_long_enough_is_refused(keys: IdempotencyKeys, clock: FakeClock) -> None:
    async with keys.hold(caller="anna", route="POST /rooms", key="k1", body=b"{}"):
        second = asyncio.create_task(call(keys))
        done, _ = await asyncio.wait({second}, timeout=0.12)
        assert not done
        clock.advance(seconds=6)
        with pytest.raises(Conflict) as refusal:
            await second
    assert refusal.value.code == "in_flight"


async def test_a_holder_that_died_is_succeeded(keys: IdempotencyKeys, clock: FakeClock) -> None:
    hold = keys.hold(caller="anna", route="POST /rooms", key="k1", body=b"{}")
    first = await hold.__aenter__()
    clock.advance(seconds=16)
    assert (await call(keys)).id == first.id
    await hold.__aexit__(None, None, None)


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_bad_key_is_refused(keys: IdempotencyKeys, key: str) -> None:
    with pytest.raises(InvalidRequest):
        await call(keys, key=key)
