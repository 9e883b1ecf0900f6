"""Histograms in plain numbers, the event loop's lateness, and readiness as a metric."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY, Histogram, generate_latest

from shared.runtime.health import Health
from shared.runtime.loop_watch import watch_event_loop
from shared.runtime.metrics import Durations, observe_request, report_build
from tests.metric_samples import grows, sample
from tests.waiting import SOON

BUCKETS = (0.01, 0.1, 1)
SECONDS = (0.005, 0.01, 0.05, 0.9999, 1, 20)


@pytest.fixture
def durations() -> Iterator[Durations]:
    made = Durations("test_own_seconds", "Ours", ("what", "status"), BUCKETS)
    yield made
    REGISTRY.unregister(made)


@pytest.fixture
def histogram() -> Histogram:
    return Histogram("test_own_seconds", "Ours", ["what", "status"], buckets=BUCKETS, registry=None)


def test_the_text_is_that_of_the_client_library(durations: Durations, histogram: Histogram) -> None:
    for seconds in SECONDS:
        durations.observe(("it", 200), seconds)
        histogram.labels("it", "200").observe(seconds)
    ours = [sample for family in durations.collect() for sample in family.samples]
    theirs = [sample for family in histogram.collect() for sample in family.samples]
    key = [(one.name, one.labels, one.value) for one in theirs if not one.name.endswith("_created")]
    assert sorted(map(str, ((one.name, one.labels, one.value) for one in ours))) == sorted(map(str, key))
    assert b'test_own_seconds_bucket{le="0.01",status="200",what="it"} 2.0' in generate_latest()


def test_a_request_is_counted_by_operation_and_status() -> None:
    with grows("greenroom_http_request_seconds_count", operation="GET /things/{id}", status="404"):
        observe_request("GET /things/{id}", 404, 0.2)


def test_the_build_is_named() -> None:
    report_build("tests")
    assert b'greenroom_build_info{service="tests",version="0.1.0"} 1.0' in generate_latest()


async def test_a_blocked_event_loop_is_late() -> None:
    late = "greenroom_event_loop_late_seconds"
    before, slow = sample(f"{late}_sum"), sample(f"{late}_count")
    watch = asyncio.create_task(watch_event_loop())
    await asyncio.sleep(0)
    time.sleep(0.7)  # noqa: ASYNC251 - the loop is to be blocked
    async with asyncio.timeout(SOON):
        while sample(f"{late}_count") == slow:
            await asyncio.sleep(0.01)
    watch.cancel()
    assert sample(f"{late}_sum") - before >= 0.2


async def test_readiness_is_a_metric() -> None:
    health, answers = Health(), ["nobody there", None]

    async def check() -> str | None:
        return answers[0]

    health.started = True
    health.add("tests", check)
    await health.readiness()
    assert (sample("greenroom_ready"), sample("greenroom_dependency_up", dependency="tests")) == (0, 0)
    answers.pop(0)
    await health.readiness()
    assert (sample("greenroom_ready"), sample("greenroom_dependency_up", dependency="tests")) == (1, 1)
