"""What `make soak` does for half an hour, for some seconds: every measure is taken, and nothing runs away."""

import pytest

from tests.chaos.load import Size
from tests.running_stack import RunningStack
from tests.soak.judge import Tolerance
from tests.soak.report import as_json, svg
from tests.soak.run import MEASURES, Plan, run
from tests.soak.sampling import PROCESSES

# In so short a time only what runs away can be told from what warms up.
RUNS_AWAY = {
    "memory": Tolerance(share=0.3, least=30),
    "descriptors": Tolerance(share=1, least=60),
    "tasks": Tolerance(share=1, least=60),
}
PLAN = Plan(18, 6, rate=30, size=Size(hosts=1, viewers=2), every=1.0, tolerances=RUNS_AWAY)


@pytest.mark.timeout(180)
async def test_nothing_runs_away_under_load(running_stack: RunningStack) -> None:
    result = await run(running_stack, PLAN, lambda _: None)
    assert result.faults == []
    assert result.trends.keys() == set(PROCESSES)
    for name, measures in result.trends.items():
        assert measures.keys() == MEASURES.keys()
        assert all(trend.median > 0 for trend in measures.values()), (name, measures)
    assert result.calls["steady read acknowledged"] > 50
    assert result.calls["steady write acknowledged"] > 10
    kept = as_json({"machine": "this"}, PLAN, result)
    assert kept["dead_letters"] == 0
    assert svg("Short", result).count("<polyline") == len(PROCESSES) * len(MEASURES)
