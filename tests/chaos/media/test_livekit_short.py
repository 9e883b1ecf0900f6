"""LiveKit dies, or its webhooks are lost, in short: what `make chaos` does with more sessions."""

import pytest

from tests.chaos.media.live_sessions import WhoReturns
from tests.chaos.media.livekit_outage import livekit_dies
from tests.chaos.media.webhook_outage import webhooks_are_lost
from tests.running_stack import RunningStack

pytestmark = pytest.mark.timeout(300)

# `make chaos` holds 30 s and one period; a machine on which all tests run at once may be slower.
BUSY_SECONDS = 60.0


async def test_all_is_right_soon_after_livekit_died(running_stack: RunningStack) -> None:
    verdict = await livekit_dies(running_stack, list(WhoReturns), viewers=1, away=0, within=BUSY_SECONDS)
    assert verdict.faults == []


async def test_lost_webhooks_are_made_up_for(running_stack: RunningStack) -> None:
    verdict = await webhooks_are_lost(running_stack, 1, seconds=1, within=BUSY_SECONDS)
    assert verdict.faults == []
