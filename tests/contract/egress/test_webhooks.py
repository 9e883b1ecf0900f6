"""Webhooks are stored once with their event, and the event is published once."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.egress.webhooks.service import ReceivedWebhook, WebhookRepository
from shared.clock import SystemClock, milliseconds
from shared.contracts.event import Event
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.errors import Unavailable
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.fake_clock import FakeClock
from tests.fakes.memory_bus import MemoryBus

NOW = milliseconds(datetime.now(UTC))
SESSION = new_id()


@pytest.fixture
async def webhooks(mongo: Mongo, outbox: Outbox) -> WebhookRepository:
    repository = WebhookRepository(mongo, outbox)
    await repository.ensure_indexes()
    return repository


def received(webhook_id: str, *, event: bool = True) -> ReceivedWebhook:
    meaning = LiveKitRoomStarted(session_id=SESSION, occurred_at=NOW, room_sid=webhook_id) if event else None
    return ReceivedWebhook(webhook_id, "room_started", SESSION, NOW, meaning)


def told(bus: MemoryBus) -> list[Event]:
    return [envelope.event for envelope in bus.published]


async def test_a_webhook_is_stored_with_its_event_and_published(
    webhooks: WebhookRepository, mongo: Mongo, outbox: Outbox, bus: MemoryBus
) -> None:
    assert await webhooks.add(received("EV_1")) is True
    await outbox.publish_once()
    assert told(bus) == [received("EV_1").event]
    stored = await mongo.collection("webhooks").find_one({"_id": "EV_1"})
    assert stored is not None
    assert (stored["event"], stored["room"], stored["received_at"]) == ("room_started", SESSION, NOW)


async def test_what_is_confirmed_is_cleared_and_not_published_again(
    webhooks: WebhookRepository, mongo: Mongo, outbox: Outbox, bus: MemoryBus
) -> None:
    await asyncio.gather(*(webhooks.add(received(f"EV_{number}")) for number in range(20)))
    await outbox.publish_once()
    await outbox.clear_once()
    assert await mongo.collection("webhooks").count({"outbox_at": {"$exists": True}}, limit=100) == 0
    await outbox.publish_once()
    assert len(bus.published) == 20


async def test_the_same_webhook_a_thousand_times_has_one_effect(
    webhooks: WebhookRepository, mongo: Mongo, outbox: Outbox, bus: MemoryBus
) -> None:
    relay = asyncio.create_task(outbox.run())
    try:
        results = await asyncio.gather(*(webhooks.add(received("EV_1")) for _ in range(500)))
        for _ in range(50):
            results += await asyncio.gather(*(webhooks.add(received("EV_1")) for _ in range(10)))
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
    await outbox.drain(5)
    assert (len(results), sum(results)) == (1000, 1)
    assert len(bus.published) == 1
    assert await mongo.collection("webhooks").count({}, limit=10) == 1


async def test_one_without_an_event_is_stored_once_and_publishes_nothing(
    webhooks: WebhookRepository, outbox: Outbox, bus: MemoryBus
) -> None:
    assert await webhooks.add(received("EV_1", event=False)) is True
    assert await webhooks.add(received("EV_1", event=False)) is False
    await outbox.publish_once()
    assert bus.published == []


async def test_what_the_broker_did_not_take_is_published_when_it_is_back(
    webhooks: WebhookRepository, outbox: Outbox, bus: MemoryBus
) -> None:
    bus.down()
    await asyncio.gather(*(webhooks.add(received(f"EV_{number}")) for number in range(5)))
    with pytest.raises(Unavailable):
        await outbox.publish_once()
    bus.up()
    await outbox.publish_once()
    await outbox.clear_once()
    assert len(bus.published) == 5


async def test_what_an_earlier_life_left_is_published_at_the_start(mongo: Mongo, bus: MemoryBus) -> None:
    await WebhookRepository(mongo, Outbox(bus, SystemClock(), source="/a")).add(received("EV_1"))
    later = Outbox(bus, SystemClock(), source="/b")
    WebhookRepository(mongo, later)
    await later.publish_once()
    assert told(bus) == [received("EV_1").event]


async def test_what_another_replica_left_is_published_after_a_while(mongo: Mongo, bus: MemoryBus) -> None:
    clock = FakeClock(NOW)
    ours = Outbox(bus, clock, source="/a")
    WebhookRepository(mongo, ours)
    await ours.publish_once()
    theirs = WebhookRepository(mongo, Outbox(bus, clock, source="/b"))
    clock.advance(seconds=5)
    await theirs.add(ReceivedWebhook("EV_1", "room_started", SESSION, clock.now(), received("EV_1").event))
    await ours.publish_once()
    assert bus.published == []
    clock.advance(seconds=16)
    for _ in range(20):
        await ours.publish_once()
    assert told(bus) == [received("EV_1").event]


async def test_what_an_earlier_life_published_is_not_published_again(mongo: Mongo, bus: MemoryBus) -> None:
    """Though it was never calm enough to clear it; only the last seconds are published anew."""
    clock = FakeClock(NOW)
    earlier = Outbox(bus, clock, source="/a")
    webhooks = WebhookRepository(mongo, earlier)
    for name in ("EV_1", "EV_2"):
        await webhooks.add(ReceivedWebhook(name, "room_started", SESSION, clock.now(), received(name).event))
        await earlier.publish_once()
        clock.advance(seconds=30)
    for _ in range(15):
        await earlier.publish_once()
    await webhooks.add(ReceivedWebhook("EV_3", "room_started", SESSION, clock.now(), received("EV_3").event))
    await earlier.publish_once()
    await earlier.clear_once(thorough=False)
    assert len(bus.published) == 3

    later = Outbox(bus, clock, source="/b")
    WebhookRepository(mongo, later)
    await later.publish_once()
    assert told(bus)[3:] == [received("EV_3").event]
    await later.clear_once()
    assert await mongo.collection("webhooks").count({"outbox_at": {"$exists": True}}, limit=10) == 0


async def test_one_whose_storing_was_never_confirmed_is_published_as_soon_as_it_is_told_again(
    mongo: Mongo, bus: MemoryBus
) -> None:
    """LiveKit was told 503, or nothing: it tells again, and need not wait until the store is read."""
    clock = FakeClock(NOW)
    ours = Outbox(bus, clock, source="/a")
    webhooks = WebhookRepository(mongo, ours)
    await ours.publish_once()
    await WebhookRepository(mongo, Outbox(MemoryBus(), clock, source="/b")).add(received("EV_1"))
    assert [await webhooks.add(received("EV_1")) for _ in range(3)] == [True, False, False]
    await ours.publish_once(thorough=False)
    assert told(bus) == [received("EV_1").event]
    stored = await mongo.collection("webhooks").find_one({"_id": "EV_1"})
    assert stored is not None
    assert bus.published[0].id == stored["outbox"][0]["id"]
    await ours.clear_once()
    assert await webhooks.add(received("EV_1")) is False


async def test_clearing_is_put_off_in_a_burst_and_done_in_the_end(
    webhooks: WebhookRepository, mongo: Mongo, outbox: Outbox, bus: MemoryBus
) -> None:
    await webhooks.add(received("EV_1"))
    await outbox.publish_once()
    await outbox.clear_once(thorough=False)
    assert await mongo.collection("webhooks").count({"outbox_at": {"$exists": True}}, limit=10) == 1
    await outbox.clear_once()
    assert await mongo.collection("webhooks").count({"outbox_at": {"$exists": True}}, limit=10) == 0
    assert len(bus.published) == 1


async def test_a_burst_is_stored_whole(
    webhooks: WebhookRepository, mongo: Mongo, outbox: Outbox, bus: MemoryBus
) -> None:
    results = await asyncio.gather(*(webhooks.add(received(f"EV_{number}")) for number in range(1200)))
    assert all(results)
    while await mongo.collection("webhooks").count({"outbox_at": {"$exists": True}}, limit=1):
        await outbox.drain(20)
    assert len({envelope.id for envelope in bus.published}) == 1200


async def test_webhooks_go_after_a_week(webhooks: WebhookRepository) -> None:
    expiring = [index for index in webhooks.indexes if index.expire_after_seconds is not None]
    assert [(list(index.fields), index.expire_after_seconds) for index in expiring] == [
        ([("received_at", 1)], 7 * 24 * 3600)
    ]
