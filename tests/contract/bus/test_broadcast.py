"""Broadcasts: every listener hears every event while it listens, and knows when it may have missed some."""

import asyncio

import pytest

from shared.bus import Broadcast, Group
from shared.bus.codec import Message, encode
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import LiveKitRoomStarted
from tests.contract.bus.events import Seen, finished, sid, started
from tests.contract.bus.stages import Stage, eventually
from tests.contract.bus.test_loss import publish_surely


class Listener:
    """Remembers what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def broadcast(self, name: str) -> Broadcast:
        return Broadcast(name, (LiveKitRoomStarted,), self.hear, self.begin, self.end)

    def hear(self, envelope: Envelope) -> None:
        number = sid(envelope)
        if number == "bad":
            raise ValueError(number)
        self.told.append(number)

    def begin(self) -> None:
        self.told.append("begun")

    def end(self) -> None:
        self.told.append("ended")


async def test_every_listener_hears_every_event_it_asked_for_in_order(stage: Stage) -> None:
    listeners = [Listener(), Listener()]
    for listener in listeners:
        await (await stage.bus()).listen(listener.broadcast(stage.name("all")))
    bus = await stage.bus()
    for number in range(50):
        await bus.publish(started(number))
        await bus.publish(finished(number))
    expected = ["begun", *map(str, range(50))]
    await eventually(lambda: all(listener.told == expected for listener in listeners))


async def test_a_group_and_a_broadcast_do_not_take_from_each_other(stage: Stage) -> None:
    bus, seen, listener = await stage.bus(), Seen(), Listener()
    await stage.subscribe(bus, Group(stage.name("group"), {LiveKitRoomStarted: seen.one}))
    await bus.listen(listener.broadcast(stage.name("all")))
    await bus.publish(started(1))
    await eventually(lambda: seen.sids == ["1"] and listener.told == ["begun", "1"])


async def test_what_was_told_while_nobody_listened_is_not_kept(stage: Stage) -> None:
    bus, first, second = await stage.bus(), Listener(), Listener()
    listening = await stage.bus()
    await listening.listen(first.broadcast(stage.name("all")))
    await listening.close()
    assert first.told == ["begun", "ended"]
    await bus.publish(started(1))
    await (await stage.bus()).listen(second.broadcast(stage.name("all")))
    await bus.publish(started(2))
    await eventually(lambda: second.told == ["begun", "2"])


@pytest.mark.parametrize("bad", ["handler", "message"])
async def test_what_could_not_be_told_is_said_to_be_missed(stage: Stage, bad: str) -> None:
    bus, listener = await stage.bus(), Listener()
    await bus.listen(listener.broadcast(stage.name("all")))
    if bad == "handler":
        await bus.publish(started("bad"))
    else:
        envelope = started(1)
        await stage.inject(envelope.routing_key, Message(encode(envelope).headers, b"nonsense"))
    await eventually(lambda: listener.told == ["begun", "begun"])
    await bus.publish(started(2))
    await eventually(lambda: listener.told == ["begun", "begun", "2"])


async def test_a_lost_broker_is_told_and_so_is_its_return(stage: Stage) -> None:
    bus, listening, listener = await stage.bus(), await stage.bus(), Listener()
    await listening.listen(listener.broadcast(stage.name("all")))
    await stage.take_away()
    await eventually(lambda: listener.told == ["begun", "ended"])
    await stage.bring_back()
    await eventually(lambda: listener.told == ["begun", "ended", "begun"])
    await publish_surely(bus, started(1))
    await eventually(lambda: "1" in listener.told)


async def test_listening_may_begin_before_there_is_a_broker(stage: Stage) -> None:
    await stage.take_away()
    bus, listener = await stage.bus(), Listener()
    await asyncio.wait_for(bus.listen(listener.broadcast(stage.name("early"))), 10)
    assert listener.told == []
    await stage.bring_back()
    await eventually(lambda: listener.told == ["begun"])
