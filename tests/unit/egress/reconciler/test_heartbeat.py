"""LiveKit's absence is noticed by whoever holds the lease, and its return tells."""

from services.egress.reconciler.heartbeat import Heartbeat, Outages
from tests.unit.egress.reconciler.house import House


async def test_a_return_is_told_once() -> None:
    house, returns = House(), [0]

    def back() -> None:
        returns[0] += 1

    heartbeat = Heartbeat(house.livekit, house.parts.lease, house.clock, Outages(), back)
    await heartbeat.beat()
    house.livekit.down()
    await heartbeat.beat()
    await heartbeat.beat()
    assert returns == [0]
    house.livekit.up()
    await heartbeat.beat()
    await heartbeat.beat()
    assert returns == [1]
