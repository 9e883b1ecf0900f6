"""The relay: no event lost, none before an earlier one of the same thing, and the store clean afterwards."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.stack import Stack
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.contracts.attendance_events import ViewersCounted
from shared.errors import Unavailable
from shared.ids import new_id
from shared.persistence.append_only import AppendOnlyCollection
from shared.persistence.mongo import Document, Mongo
from shared.persistence.outbox import Outbox
from tests.contract.shared.example_aggregate import Thing, Things, thing, versions
from tests.contract.shared.outbox_fixture import OutboxFixture, emptied, eventually, is_empty, running
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.metric_samples import sample


@pytest.fixture
async def memory_fixture() -> AsyncIterator[OutboxFixture]:
    bus = MemoryBus()
    fixture = OutboxFixture(memory_mongo(), bus)
    await fixture.listen()
    yield fixture
    await bus.stop_consuming()


@pytest.fixture
async def real_fixture(stack: Stack, real_mongo: Mongo) -> AsyncIterator[OutboxFixture]:
    bus = RabbitBus(stack.amqp_url, service="tests")
    await bus.start()
    fixture = OutboxFixture(real_mongo, bus)
    await fixture.listen()
    yield fixture
    await bus.stop_consuming()
    await bus.close()


@pytest.fixture(params=["memory_fixture", "real_fixture"])
def fixture(request: pytest.FixtureRequest) -> OutboxFixture:
    made: OutboxFixture = request.getfixturevalue(request.param)
    return made


async def changed(things: Things, times: int) -> Thing:
    """A new thing that was changed so that its versions are 1 to `times`, all of them told."""
    made = thing()
    await things.add(made, made.told())
    for _ in range(times - 1):
        await things.change(made.id, lambda one: one.add(1))
    return made


def first_of_each(seen: list[int]) -> list[int]:
    return list(dict.fromkeys(seen))


async def test_each_things_events_arrive_in_order_and_once(fixture: OutboxFixture) -> None:
    things, outbox, _ = await fixture.relay()
    async with running(outbox):
        made = await asyncio.gather(*(changed(things, 5) for _ in range(6)))
        await eventually(lambda: len(fixture.arrived) >= 30)
        await emptied(things)
    for one in made:
        assert versions(fixture.arrived, one.id) == [1, 2, 3, 4, 5]
    assert len({envelope.id for envelope in fixture.arrived}) == 30
    assert {envelope.source for envelope in fixture.arrived} == {"/greenroom/tests"}


async def test_what_cannot_be_published_waits(fixture: OutboxFixture) -> None:
    things, outbox, gate = await fixture.relay()
    gate.shut = True
    async with running(outbox):
        made = await changed(things, 3)
        with pytest.raises(Unavailable):
            await outbox.publish_once()
        await outbox.clear_once()
        assert not await is_empty(things)
        gate.shut = False
        await eventually(lambda: len(fixture.arrived) >= 3)
        await emptied(things)
    assert first_of_each(versions(fixture.arrived, made.id)) == [1, 2, 3]


async def test_a_broker_that_is_back_gets_what_waits_without_a_new_change(fixture: OutboxFixture) -> None:
    things, outbox, gate = await fixture.relay(sweep=600)
    gate.shut = True
    async with running(outbox):
        made = await changed(things, 1)
        await eventually(lambda: gate.refused >= 3)
        gate.shut = False
        await eventually(lambda: len(fixture.arrived) >= 1)
    assert versions(fixture.arrived, made.id) == [1]


async def test_after_a_failure_nothing_later_of_the_thing_overtakes(fixture: OutboxFixture) -> None:
    things, outbox, gate = await fixture.relay()
    made = await changed(things, 3)
    gate.hold_at = 1
    publishing = asyncio.create_task(outbox.publish_once())
    await gate.holding.wait()
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
    gate.hold_at = None
    await outbox.clear_once()
    await things.change(made.id, lambda one: one.add(1))
    await outbox.drain(5)
    await eventually(lambda: len(fixture.arrived) >= 4)
    assert versions(fixture.arrived, made.id) == [1, 2, 3, 4]
    assert await is_empty(things)


async def test_what_a_cancelled_relay_left_the_next_one_publishes(fixture: OutboxFixture) -> None:
    things, outbox, gate = await fixture.relay()
    made = [await changed(things, 2) for _ in range(4)]
    gate.hold_at = 3
    async with running(outbox):
        await gate.holding.wait()
    _, successor, _ = await fixture.relay()
    await successor.drain(5)
    await eventually(lambda: all(first_of_each(versions(fixture.arrived, one.id)) == [1, 2] for one in made))
    assert await is_empty(things)


async def test_two_relays_at_once_lose_nothing_and_clear_all(fixture: OutboxFixture) -> None:
    things, one, _ = await fixture.relay()
    others, two, _ = await fixture.relay()
    async with running(one, two):
        made = await asyncio.gather(*(changed(repository, 5) for repository in (things, others) * 3))
        await eventually(
            lambda: all(set(versions(fixture.arrived, each.id)) == {1, 2, 3, 4, 5} for each in made)
        )
        await emptied(things)
    for each in made:
        assert first_of_each(versions(fixture.arrived, each.id)) == [1, 2, 3, 4, 5]


async def test_what_was_deleted_goes_when_its_events_are_confirmed(fixture: OutboxFixture) -> None:
    things, outbox, gate = await fixture.relay()
    made = await changed(things, 2)
    await things.remove(made.id, Thing.told)
    gate.shut = True
    with pytest.raises(Unavailable):
        await outbox.publish_once()
    await outbox.clear_once()
    assert await things.collection.find_one({"_id": made.id}) is not None
    gate.shut = False
    await outbox.drain(5)
    assert await things.collection.find_one({"_id": made.id}) is None
    await eventually(lambda: len(fixture.arrived) >= 3)
    assert versions(fixture.arrived, made.id) == [1, 2, 3]


async def test_clearing_spares_what_came_meanwhile(fixture: OutboxFixture) -> None:
    things, outbox, _ = await fixture.relay()
    made = await changed(things, 2)
    await outbox.publish_once()
    await things.change(made.id, lambda one: one.add(1))
    await outbox.clear_once()
    left = await things.collection.find_one({"_id": made.id})
    assert left is not None
    assert [entry["data"].count('"version":3') for entry in left["outbox"]] == [1]
    await outbox.drain(5)
    await eventually(lambda: len(fixture.arrived) >= 3)
    assert versions(fixture.arrived, made.id) == [1, 2, 3]
    assert await is_empty(things)


async def test_what_a_slow_reading_shows_after_it_was_cleared_is_not_published_again(
    fixture: OutboxFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    things, outbox, _ = await fixture.relay()
    made = await changed(things, 3)
    await outbox.publish_once()
    has_read, go_on = asyncio.Event(), asyncio.Event()
    find = things.collection.find

    async def slow(*args: Any, **options: Any) -> list[Document]:
        monkeypatch.undo()
        found = await find(*args, **options)
        has_read.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(things.collection, "find", slow)
    publishing = asyncio.create_task(outbox.publish_once())
    await has_read.wait()
    await outbox.clear_once()
    assert await is_empty(things)
    go_on.set()
    await publishing
    await things.change(made.id, lambda one: one.add(1))
    await outbox.drain(5)
    await eventually(lambda: 4 in versions(fixture.arrived, made.id))
    assert versions(fixture.arrived, made.id) == [1, 2, 3, 4]


async def test_a_tombstone_with_events_to_come_stays(fixture: OutboxFixture) -> None:
    things, outbox, _ = await fixture.relay()
    made = await changed(things, 1)
    await outbox.publish_once()
    await things.remove(made.id, Thing.told)
    await outbox.clear_once()
    assert await things.collection.find_one({"_id": made.id}) is not None
    await outbox.drain(5)
    assert await things.collection.find_one({"_id": made.id}) is None
    await eventually(lambda: len(fixture.arrived) >= 2)
    assert versions(fixture.arrived, made.id) == [1, 2]


async def test_a_relay_finds_what_others_wrote_without_being_woken(fixture: OutboxFixture) -> None:
    _, outbox, _ = await fixture.relay()
    async with running(outbox):
        elsewhere, _, _ = await fixture.relay()
        made = await changed(elsewhere, 2)
        await eventually(lambda: versions(fixture.arrived, made.id) == [1, 2])


async def test_a_drain_ends_in_time(fixture: OutboxFixture) -> None:
    things, outbox, gate = await fixture.relay()
    await changed(things, 1)
    gate.hold_at = 0
    async with asyncio.timeout(5):
        await outbox.drain(0.1)
    assert not await is_empty(things)


async def test_a_round_reads_what_was_written_to_and_a_thorough_one_everything(
    fixture: OutboxFixture,
) -> None:
    things, outbox, gate = await fixture.relay()
    of_another_replica, _, _ = await fixture.relay()
    await changed(things, 1)
    await outbox.publish_once(thorough=False)
    assert gate.passed == 1
    made = await changed(of_another_replica, 1)
    await outbox.publish_once(thorough=False)
    assert gate.passed == 1
    await outbox.publish_once(thorough=True)
    await eventually(lambda: versions(fixture.arrived, made.id) == [1])
    assert gate.passed == 2


async def test_how_long_the_oldest_event_waits_is_known(fixture: OutboxFixture) -> None:
    """Also while its relay does nothing at all."""
    things, outbox, gate = await fixture.relay()
    gate.shut = True
    await changed(things, 2)
    await asyncio.sleep(0.05)
    await outbox.look()
    age = sample("greenroom_outbox_oldest_seconds", collection="things")
    assert 0.05 <= age < 30
    gate.shut = False
    async with running(outbox):
        await emptied(things)
    await outbox.look()
    assert sample("greenroom_outbox_oldest_seconds", collection="things") == 0


async def test_how_long_what_an_earlier_life_left_waits_is_known(fixture: OutboxFixture) -> None:
    """Of append-only collections as well, which hand over what they store."""
    clock = SystemClock()
    facts = AppendOnlyCollection(
        fixture.mongo, "facts", Outbox(fixture.bus, clock, source="/greenroom/tests")
    )
    await facts.ensure_indexes()
    counted = ViewersCounted(session_id=new_id(), version=1, viewer_count=1, max_viewers=1)
    await facts.add({"_id": new_id()}, [counted], clock.now() - timedelta(seconds=60))

    _, successor, gate = await fixture.relay()
    AppendOnlyCollection(fixture.mongo, "facts", successor)
    gate.shut = True
    with pytest.raises(Unavailable):
        await successor.publish_once()
    await successor.look()
    assert 60 <= (sample("greenroom_outbox_oldest_seconds", collection="facts") or 0) < 600
    gate.shut = False
    await successor.publish_once()
    await successor.look()
    assert sample("greenroom_outbox_oldest_seconds", collection="facts") == 0
