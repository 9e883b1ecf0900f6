"""LiveKit is killed under three sessions, in short: what `make chaos` does with ten."""

import pytest

from deploy.local.running import RunningStack
from tests.chaos.media.death import livekit_dies
from tests.chaos.media.plays import Fate

# `make chaos` holds 30 s; a machine on which all tests run at once may be slower.
BUSY_SECONDS = 60.0


@pytest.mark.timeout(240)
async def test_all_is_right_soon_after_livekit_died(running_stack: RunningStack) -> None:
    verdict = await livekit_dies(running_stack, list(Fate), viewers=1, away=0, within=BUSY_SECONDS)
    assert verdict.faults == []
