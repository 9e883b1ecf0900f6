"""What the workers do where no broker can be made to behave so."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.bus import Group, OrderedGroup, RetryPolicy
from shared.bus.codec import Message, encode
from shared.bus.consumer import Delivery
from shared.bus.metrics import GroupMetrics
from shared.bus.retry import ATTEMPTS, REASON
from shared.bus.workers import OrderedWorker, UnorderedWorker
from shared.clock import SystemClock
from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.errors import Unavailable
from shared.runtime.backoff import Backoff
from tests.contract.bus.events import Seen, started
from tests.metric_samples import grows, sample
from tests.unit.shared.bus.fake_channel import FakeChannel

POLICY = RetryPolicy(
    delays=(1.0, 5.0), ordered_backoff=Backoff(0.001, 0.002), unavailable_backoff=Backoff(0.001, 0.002)
)
NONSENSE = Message({"ce-specversion": "1.0", "ce-type": "livekit_room.started.v1", "ce-id": "1"}, b"nonsense")


def unordered(handle: object, policy: RetryPolicy = POLICY) -> UnorderedWorker:
    group = Group("a-group", {LiveKitRoomStarted: handle})  # type: ignore[dict-item]
    return UnorderedWorker(group, policy, SystemClock(), GroupMetrics("a-group"))


def ordered(handle: object, policy: RetryPolicy = POLICY) -> OrderedWorker:
    group = OrderedGroup("a-group", (LiveKitRoomStarted,), handle)  # type: ignore[arg-type]
    return OrderedWorker(group, policy, SystemClock(), GroupMetrics("a-group"))


async def play(worker: UnorderedWorker | OrderedWorker, channel: FakeChannel) -> None:
    """Let the worker do what it can, then end the channel and see it return."""
    working = asyncio.create_task(worker.run(channel))
    await asyncio.sleep(0.05)
    channel.end()
    await asyncio.wait_for(working, 2)


async def test_each_failure_takes_the_next_lane_and_the_last_the_dead_letters() -> None:
    async def handle(_: Envelope) -> None:
        raise ValueError("no")

    message = encode(started(1))
    ways = []
    for _ in range(3):
        channel = FakeChannel()
        channel.feed(message)
        await play(unordered(handle), channel)
        [(queue, message)] = channel.sent
        ways.append((queue, message.headers[ATTEMPTS]))
        assert channel.acknowledged == [(1, False)]
    assert ways == [("a-group.retry.1s", 1), ("a-group.retry.5s", 2), ("a-group.dead", 3)]
    assert message.headers[REASON] == "ValueError: no"


async def test_what_cannot_be_put_away_is_not_acknowledged() -> None:
    async def handle(_: Envelope) -> None:
        raise ValueError("no")

    for worker in (unordered(handle), ordered(handle)):
        for message in (NONSENSE, encode(started(1))):
            channel = FakeChannel()
            channel.refuse = Unavailable("the broker is away")
            channel.feed(message)
            await play(worker, channel)
            assert channel.acknowledged == []


async def test_what_is_waited_for_is_not_acknowledged_when_the_channel_ends() -> None:
    async def one(_: Envelope) -> None:
        raise Unavailable("the database is away")

    async def batch(_: Sequence[Envelope]) -> None:
        raise Unavailable("the database is away")

    for worker in (unordered(one), ordered(batch)):
        channel = FakeChannel()
        channel.feed(encode(started(1)))
        await play(worker, channel)
        assert (channel.acknowledged, channel.sent) == ([], [])


async def test_a_handler_that_hangs_has_failed() -> None:
    async def handle(_: Envelope) -> None:
        await asyncio.Event().wait()

    channel = FakeChannel()
    channel.feed(encode(started(1)))
    await play(unordered(handle, replace(POLICY, handler_timeout=0.01)), channel)
    [(queue, message)] = channel.sent
    assert queue == "a-group.retry.1s"
    assert str(message.headers[REASON]).startswith("TimeoutError")


async def test_a_batch_is_acknowledged_once_up_to_its_last_message() -> None:
    seen, channel = Seen(), FakeChannel()
    for number in range(10):
        channel.feed(encode(started(number)))
    channel.feed(NONSENSE)
    await play(ordered(seen.batch), channel)
    assert seen.batches == [[str(number) for number in range(10)]]
    assert channel.acknowledged == [(11, True)]
    assert [queue for queue, _ in channel.sent] == ["a-group.dead"]


async def test_halving_acknowledges_as_it_goes_and_never_twice() -> None:
    async def handle(envelopes: Sequence[Envelope]) -> None:
        if any(one.event == poison.event for one in envelopes):
            raise ValueError("poison")

    poison, channel = started("poison"), FakeChannel()
    for envelope in (started(0), started(1), poison, started(3)):
        channel.feed(encode(envelope))
    await play(ordered(handle), channel)
    tags = [tag for tag, _ in channel.acknowledged]
    assert tags == sorted(set(tags))
    assert tags[-1] == 4
    assert [message.id for _, message in channel.sent] == [poison.id]


MakeWorker = Callable[[object], UnorderedWorker | OrderedWorker]
HANDLINGS = "greenroom_bus_handling_seconds_count"


async def test_handlings_are_measured_by_event_and_outcome() -> None:
    failures: list[Exception] = [Unavailable("the database is away"), ValueError("no")]

    async def one(_: Envelope) -> None:
        if failures:
            raise failures.pop(0)

    event = LiveKitRoomStarted.name
    channel = FakeChannel()
    channel.feed(encode(started(1)))
    channel.feed(encode(started(2)))
    labels = {"group": "a-group", "event": event}
    with (
        grows(HANDLINGS, outcome="unavailable", **labels),
        grows(HANDLINGS, outcome="failed", **labels),
        grows(HANDLINGS, outcome="ok", **labels),
    ):
        await play(unordered(one), channel)


async def test_a_batch_is_named_by_its_event_if_there_is_but_one() -> None:
    async def batch(_: Sequence[Envelope]) -> None:
        return

    counted = ViewersCounted(session_id="s", version=1, viewer_count=0, max_viewers=0)
    group = OrderedGroup("a-group", (LiveKitRoomStarted, ViewersCounted), batch)
    worker = OrderedWorker(group, POLICY, SystemClock(), GroupMetrics("a-group"))
    channel = FakeChannel()
    for message in (encode(started(1)), encode(started(2)), encode(replace(started(3), event=counted))):
        channel.feed(message)
    with grows(HANDLINGS, group="a-group", event="several", outcome="ok"):
        await play(worker, channel)
    channel = FakeChannel()
    channel.feed(encode(started(4)))
    channel.feed(encode(started(5)))
    with grows(HANDLINGS, group="a-group", event=LiveKitRoomStarted.name, outcome="ok"):
        await play(worker, channel)


@pytest.mark.parametrize("make", [unordered, ordered])
async def test_the_age_of_what_is_in_hand_is_known(
    make: Callable[[object], UnorderedWorker | OrderedWorker],
) -> None:
    seen: list[float] = []

    async def handle(_: object) -> None:
        seen.append(sample("greenroom_bus_oldest_unacknowledged_seconds", group="a-group"))

    channel = FakeChannel()
    channel.feed(encode(replace(started(1), time=datetime.now(UTC) - timedelta(minutes=5))))
    await play(make(handle), channel)
    assert 300 <= seen[0] < 330
    assert sample("greenroom_bus_oldest_unacknowledged_seconds", group="a-group") == 0


@pytest.mark.parametrize("make", [unordered, ordered])
async def test_what_comes_again_is_counted(make: MakeWorker) -> None:
    async def handle(_: object) -> None:
        return

    channel = FakeChannel()
    message = encode(started(1))
    channel.put(Delivery(1, channel.queue, message.headers, message.body))
    channel.put(Delivery(2, channel.queue, message.headers, message.body, redelivered=True))
    with grows("greenroom_bus_redelivered_total", group="a-group"):
        await play(make(handle), channel)
