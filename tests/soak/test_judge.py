"""The judge of growth: a leak is found in noise, and noise is no leak."""

import random

import pytest

from tests.chaos.load import Size
from tests.soak.judge import Tolerance, Trend, judge, slope, thinned
from tests.soak.run import TOLERANCES, Plan, find_faults
from tests.soak.sampling import Sample

HALF_AN_HOUR, WARM_UP = 1800, 450
MEMORY = TOLERANCES["memory"]


def series(leak: float, *, seed: int = 1) -> list[tuple[float, float]]:
    """100 MB that rises as it warms up, breathes by 3 MB, has spikes, and leaks so much an hour."""
    rng = random.Random(seed)
    warm = [min(at, 300) / 300 * 40 for at in range(0, HALF_AN_HOUR, 5)]
    return [
        (at, 60 + risen + leak * at / 3600 + rng.uniform(0, 3) + (40 if rng.random() < 0.05 else 0))
        for at, risen in zip(range(0, HALF_AN_HOUR, 5), warm, strict=True)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_what_only_breathes_is_flat(seed: int) -> None:
    assert judge(series(0, seed=seed), WARM_UP, MEMORY).flat
    assert judge(series(-30, seed=seed), WARM_UP, MEMORY).flat


@pytest.mark.parametrize("seed", range(5))
def test_a_leak_is_found(seed: int) -> None:
    trend = judge(series(20, seed=seed), WARM_UP, MEMORY)
    assert not trend.flat
    assert trend.growth == pytest.approx(20 * (HALF_AN_HOUR - WARM_UP) / 3600, rel=0.2)


def test_a_task_for_every_minute_that_is_never_over_is_found() -> None:
    tasks = [(at, 40.0 + at // 60) for at in range(0, HALF_AN_HOUR, 5)]
    assert not judge(tasks, WARM_UP, TOLERANCES["tasks"]).flat


def test_what_is_built_up_while_it_warms_up_is_not_judged() -> None:
    built_up = [(at, min(at, 400.0)) for at in range(0, HALF_AN_HOUR, 5)]
    assert judge(built_up, WARM_UP, MEMORY).growth == 0


def test_too_few_samples_say_nothing() -> None:
    with pytest.raises(ValueError, match="2 samples after 10 s"):
        judge([(0, 1), (5, 1), (10, 1), (15, 1)], 10, MEMORY)


def test_the_slope_of_a_line_with_outliers_is_that_of_the_line() -> None:
    points = [(float(at), 2.0 * at) for at in range(30)]
    points[5], points[20], points[25] = (5, 900), (20, -900), (25, 10_000)
    assert slope(points) == pytest.approx(2)


def test_thinning_keeps_the_line() -> None:
    points = [(float(at), 3.0 * at) for at in range(1000)]
    assert len(thinned(points)) <= 120
    assert slope(thinned(points)) == pytest.approx(3)
    assert thinned(points[:50]) == points[:50]


def test_what_grew_and_who_was_restarted_is_said() -> None:
    grown, flat = Trend(10, 15, 20, 20, 10, 8), Trend(10, 10, 11, 10, 0.5, 8)
    kept = [Sample(0, 1, 10, 10, 10, 10), Sample(5, 2, 10, 10, 10, 10)]
    faults = find_faults({"relay": kept}, {"relay": {"tasks": grown, "memory": flat}}, [0, 1])
    assert faults == [
        "relay: tasks grew by 10.0 from 10 (8.0 allowed)",
        "relay was restarted",
        "a session with media ended with status 1",
    ]


def test_a_plan_judges_what_it_samples() -> None:
    assert Plan(60, 10, 1, Size()).tolerances == TOLERANCES
    assert Tolerance(0.1, 5).of(20) == 5
    assert Tolerance(0.1, 5).of(200) == 20
