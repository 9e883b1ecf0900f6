"""LiveKit's absence is noticed by whoever holds the lease, and its return tells."""

from services.egress.reconciler.heartbeat import Heartbeat, Outages
from tests.unit.egress.reconciler.builders import at
from tests.unit.egress.reconciler.fixture import Replica


async def test_a_return_is_told_once() -> None:
    replica, returns = Replica(), [0]

    def back() -> None:
        returns[0] += 1

    outages = Outages()
    heartbeat = Heartbeat(replica.livekit, replica.parts.lease, replica.clock, outages, back)
    await heartbeat.run_once()
    replica.livekit.down()
    replica.clock.advance(seconds=1)
    await heartbeat.run_once()
    await heartbeat.run_once()
    assert returns == [0]
    replica.livekit.up()
    await heartbeat.run_once()
    await heartbeat.run_once()
    assert returns == [1]
    assert outages.answered_before == at(0)
