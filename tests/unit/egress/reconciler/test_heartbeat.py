"""LiveKit's absence is noticed by whoever holds the lease, and its return tells."""

from services.egress.reconciler.heartbeat import Heartbeat, Outages
from tests.unit.egress.reconciler.builders import at
from tests.unit.egress.reconciler.fixture import House


async def test_a_return_is_told_once() -> None:
    house, returns = House(), [0]

    def back() -> None:
        returns[0] += 1

    outages = Outages()
    heartbeat = Heartbeat(house.livekit, house.parts.lease, house.clock, outages, back)
    await heartbeat.beat()
    house.livekit.down()
    house.clock.advance(seconds=1)
    await heartbeat.beat()
    await heartbeat.beat()
    assert returns == [0]
    house.livekit.up()
    await heartbeat.beat()
    await heartbeat.beat()
    assert returns == [1]
    assert outages.answered_before == at(0)
