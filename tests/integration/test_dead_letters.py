"""An event that a handler could not apply is listed, and is applied after a replay."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from deploy.dead_letters import GROUPS, dead_letters, replay
from deploy.local.stack import Stack
from shared.bus import Group, RetryPolicy
from shared.bus.rabbit import RabbitBus
from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Envelope
from shared.ids import new_id

DEADLINE = 60.0


class Handler:
    """Refuses everything until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.handled: list[str] = []

    async def __call__(self, envelope: Envelope) -> None:
        if not self.mended:
            raise ValueError("broken")
        self.handled.append(envelope.id)


@pytest.fixture
async def bus(stack: Stack) -> AsyncIterator[RabbitBus]:
    bus = RabbitBus(stack.amqp_url, service="test", retry=RetryPolicy(delays=(0.1,)))
    await bus.start()
    yield bus
    await bus.stop_consuming()
    await bus.close()


def envelope() -> Envelope:
    event = ViewersCounted(session_id=new_id(), version=1, viewer_count=1, max_viewers=1)
    return Envelope(id=new_id(), source="/test", time=datetime.now(UTC), event=event)


async def test_a_dead_letter_is_listed_and_replayed_to_its_own_group(stack: Stack, bus: RabbitBus) -> None:
    handler, name, sent = Handler(), f"test.{new_id()}", envelope()
    await bus.subscribe(Group(name, {ViewersCounted: handler}))
    async with asyncio.timeout(DEADLINE):
        await bus.publish(sent)
        while not (letters := await dead_letters(stack.amqp_url, [name])):
            await asyncio.sleep(0.05)
        (group, letter) = letters[0]
        assert (group, letter.id, letter.event, letter.reason) == (
            name,
            sent.id,
            ViewersCounted.name,
            "ValueError: broken",
        )
        handler.mended = True
        assert await replay(stack.amqp_url, [name], {sent.id}) == {name: 1}
        while handler.handled != [sent.id]:
            await asyncio.sleep(0.05)
    assert await dead_letters(stack.amqp_url, [name]) == []


async def test_the_groups_of_all_services_are_known(stack: Stack) -> None:
    """Looking at a group that does not exist finds nothing; these must exist."""
    assert set(await replay(stack.amqp_url, GROUPS, {"none"})) == set(GROUPS)
