"""Every replica of every service is replaced under load, and nobody notices."""

from pathlib import Path

import pytest
from rich.console import Console

from tests.chaos.load import Size
from tests.rolling.report import show
from tests.rolling.run import EXIT_SECONDS, Plan, run
from tests.running_stack import RunningStack

# A rate that a busy machine reaches as well; `make rolling` has 200.
RATE = 15.0


@pytest.mark.timeout(400)
async def test_a_rolling_update_fails_nothing_and_loses_nothing(
    running_stack: RunningStack, tmp_path: Path
) -> None:
    result = await run(running_stack, Plan(RATE, Size(hosts=1, viewers=3)), tmp_path, print)
    show(Console(), result)  # pytest shows it if the test fails
    assert result.faults == []
    assert len(result.exits) == 8
    assert all(one.status == 0 and one.seconds <= EXIT_SECONDS for one in result.exits)
    for what in ("steady rooms", "steady sessions", "sessions", "starts", "connections told"):
        assert result.counts[what] > 0, result.counts
