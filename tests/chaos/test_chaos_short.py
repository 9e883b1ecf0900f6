"""Every part is killed once under load and the broker frozen, in short: what `make chaos` does at length."""

import io
import time

import pytest
from rich.console import Console

from deploy.demo.progress import display_on
from tests.chaos.load import Size
from tests.chaos.rounds import KILLED
from tests.chaos.run import Plan, run
from tests.running_stack import RunningStack

# `make chaos` holds 5 s; a machine on which all tests run at once may be slower to start a process.
BUSY_SECONDS = 30.0
SIZE = Size(hosts=2, viewers=4)
PLAN = Plan(KILLED, frozen_seconds=5, warm_up=1, size=SIZE, goal_seconds=BUSY_SECONDS)


@pytest.mark.timeout(400)
async def test_every_promise_is_kept_while_each_part_dies(running_stack: RunningStack) -> None:
    shown = io.StringIO()
    with display_on(Console(file=shown), time.monotonic) as show:
        result = await run(running_stack, PLAN, show)
    print(shown.getvalue())  # noqa: T201 - pytest shows it where the test fails
    assert result.faults == []
    assert [one.component for one in result.rounds] == [*KILLED, "rabbitmq"]
    for what in ("rooms", "sessions", "starts", "ends", "admissions", "connections told", "departures told"):
        assert result.counts[what] > 0, result.counts
