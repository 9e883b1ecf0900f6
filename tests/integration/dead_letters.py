"""Dead letters of the stack's own groups, and how far these have handled their events."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aio_pika
import aiohttp

from deploy.local.stack import Stack
from shared.bus.codec import encode
from shared.bus.ports import dead_queue, partition_queue
from shared.bus.retry import ATTEMPTS, QUEUE, REASON
from shared.contracts.event import Envelope, Event
from shared.ids import new_id

ORDERED = ("attendance", "session.journal", "egress.connections")
_HANDLED = re.compile(r'^greenroom_bus_handled_total\{event="([^"]+)",group="([^"]+)"\} (\S+)$', re.MULTILINE)
_GROUP = re.compile(r'^greenroom_bus_dead_letters\{group="([^"]+)"\} ', re.MULTILINE)


class Metrics:
    """What the stack's services that own data say of themselves."""

    def __init__(self, http: aiohttp.ClientSession, stack: Stack) -> None:
        self._http = http
        self._ports = [stack.processes[name].port for name in ("session", "egress", "attendance")]

    async def groups(self) -> set[str]:
        """The groups that are consumed."""
        return {group for text in await self._texts() for group in _GROUP.findall(text)}

    async def handled(self, event: type[Event]) -> dict[str, int]:
        """How often each group has handled such an event, one that came again counted again."""
        found = [found for text in await self._texts() for found in _HANDLED.findall(text)]
        return {group: int(float(count)) for name, group, count in found if name == event.name}

    async def _texts(self) -> list[str]:
        texts = []
        for port in self._ports:
            async with self._http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                texts.append(await answer.text())
        return texts


@asynccontextmanager
async def broker(stack: Stack) -> AsyncIterator[aio_pika.abc.AbstractExchange]:
    async with await aio_pika.connect(stack.amqp_url) as connection:
        yield (await connection.channel()).default_exchange


def envelope_of(event: Event) -> Envelope:
    return Envelope(id=new_id(), source="/greenroom/egress", time=datetime.now(UTC), event=event)


async def give_up(exchange: aio_pika.abc.AbstractExchange, group: str, envelope: Envelope) -> None:
    """Put the event where `group` puts what it gave up."""
    encoded = encode(envelope)
    queue = partition_queue(group, envelope.partition) if group in ORDERED else group
    headers = {**encoded.headers, ATTEMPTS: 4, REASON: "ValueError: broken", QUEUE: queue}
    message = aio_pika.Message(encoded.body, headers=dict(headers), delivery_mode=2)
    await exchange.publish(message, dead_queue(group))
