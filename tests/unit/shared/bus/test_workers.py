"""What the workers do where no broker can be made to behave so."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from shared.bus import Group, OrderedGroup, RetryPolicy
from shared.bus.codec import Parcel, encode
from shared.bus.failures import ATTEMPTS, REASON
from shared.bus.metrics import GroupMetrics
from shared.bus.ordered import OrderedWorker
from shared.bus.unordered import UnorderedWorker
from shared.clock import SystemClock
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.errors import Unavailable
from shared.runtime.backoff import Backoff
from tests.contract.bus.events import Seen, started
from tests.unit.shared.bus.intakes import HandFed

POLICY = RetryPolicy(
    lanes=(1.0, 5.0), ordered_backoff=Backoff(0.001, 0.002), unavailable_backoff=Backoff(0.001, 0.002)
)
NONSENSE = Parcel({"ce-specversion": "1.0", "ce-type": "livekit_room.started.v1", "ce-id": "1"}, b"nonsense")


def unordered(handle: object, policy: RetryPolicy = POLICY) -> UnorderedWorker:
    group = Group("a-group", {LiveKitRoomStarted: handle})  # type: ignore[dict-item]
    return UnorderedWorker(group, policy, SystemClock(), GroupMetrics("a-group"))


def ordered(handle: object, policy: RetryPolicy = POLICY) -> OrderedWorker:
    group = OrderedGroup("a-group", (LiveKitRoomStarted,), handle)  # type: ignore[arg-type]
    return OrderedWorker(group, policy, SystemClock(), GroupMetrics("a-group"))


async def play(worker: UnorderedWorker | OrderedWorker, intake: HandFed) -> None:
    """Let the worker do what it can, then end the intake and see it return."""
    working = asyncio.create_task(worker.run(intake))
    await asyncio.sleep(0.05)
    intake.end()
    await asyncio.wait_for(working, 2)


async def test_each_failure_takes_the_next_lane_and_the_last_the_dead_letters() -> None:
    async def handle(_: Envelope) -> None:
        raise ValueError("no")

    parcel = encode(started(1))
    ways = []
    for _ in range(3):
        intake = HandFed()
        intake.feed(parcel)
        await play(unordered(handle), intake)
        [(queue, parcel)] = intake.sent
        ways.append((queue, parcel.headers[ATTEMPTS]))
        assert intake.acknowledged == [(1, False)]
    assert ways == [("a-group.retry.1s", 1), ("a-group.retry.5s", 2), ("a-group.dead", 3)]
    assert parcel.headers[REASON] == "ValueError: no"


async def test_what_cannot_be_put_away_is_not_acknowledged() -> None:
    async def handle(_: Envelope) -> None:
        raise ValueError("no")

    for worker in (unordered(handle), ordered(handle)):
        for parcel in (NONSENSE, encode(started(1))):
            intake = HandFed()
            intake.refuse = Unavailable("the broker is away")
            intake.feed(parcel)
            await play(worker, intake)
            assert intake.acknowledged == []


async def test_what_is_waited_for_is_not_acknowledged_when_the_intake_ends() -> None:
    async def one(_: Envelope) -> None:
        raise Unavailable("the database is away")

    async def batch(_: Sequence[Envelope]) -> None:
        raise Unavailable("the database is away")

    for worker in (unordered(one), ordered(batch)):
        intake = HandFed()
        intake.feed(encode(started(1)))
        await play(worker, intake)
        assert (intake.acknowledged, intake.sent) == ([], [])


async def test_a_handler_that_hangs_has_failed() -> None:
    async def handle(_: Envelope) -> None:
        await asyncio.Event().wait()

    intake = HandFed()
    intake.feed(encode(started(1)))
    await play(unordered(handle, replace(POLICY, handler_timeout=0.01)), intake)
    [(queue, parcel)] = intake.sent
    assert queue == "a-group.retry.1s"
    assert str(parcel.headers[REASON]).startswith("TimeoutError")


async def test_a_batch_is_acknowledged_once_up_to_its_last_message() -> None:
    seen, intake = Seen(), HandFed()
    for number in range(10):
        intake.feed(encode(started(number)))
    intake.feed(NONSENSE)
    await play(ordered(seen.batch), intake)
    assert seen.batches == [[str(number) for number in range(10)]]
    assert intake.acknowledged == [(11, True)]
    assert [queue for queue, _ in intake.sent] == ["a-group.dead"]


async def test_halving_acknowledges_as_it_goes_and_never_twice() -> None:
    async def handle(envelopes: Sequence[Envelope]) -> None:
        if any(one.event == poison.event for one in envelopes):
            raise ValueError("poison")

    poison, intake = started("poison"), HandFed()
    for envelope in (started(0), started(1), poison, started(3)):
        intake.feed(encode(envelope))
    await play(ordered(handle), intake)
    tags = [tag for tag, _ in intake.acknowledged]
    assert tags == sorted(set(tags))
    assert tags[-1] == 4
    assert [parcel.id for _, parcel in intake.sent] == [poison.id]
