"""What the recorder survives: its own death, and that of everything around it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from services.recorder.media.pipeline import BREAK_BEHIND
from shared.egress.engine import EgressStatus
from shared.egress.jobs import LEASE_SECONDS
from tests.publishers.publisher import Publisher
from tests.publishers.reading import read
from tests.publishers.recorder_jobs import RecorderJobs, is_over
from tests.publishers.second_recorder import second_recorder
from tests.running_stack import RunningStack

pytestmark = pytest.mark.timeout(420)

# Seconds; what is promised is less, where the machine has nothing else to do.
BEGIN, END, GO_ON, TAKEN_OVER = 90.0, 90.0, 90.0, 20.0
FROZEN = 4.0


def steps(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


async def test_another_recorder_goes_on_where_one_was_killed(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, room: str, anna: Publisher, tmp_path: Path
) -> None:
    key = await recorder_jobs.order(room)
    await recorder_jobs.until_segments(key, 3, within=BEGIN)
    async with second_recorder(running_stack, tmp_path), running_stack.held("recorder"):
        killed_at = time.time()
        await recorder_jobs.until_segments(key, 3, epoch=2, within=GO_ON)
        await recorder_jobs.stop(key)
        job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.epoch) == (EgressStatus.COMPLETE, 2)
    segments = await recorder_jobs.segments.of(key)
    first = next(one for one in segments if one.epoch == 2)
    assert first.starts_at.timestamp() - killed_at < TAKEN_OVER
    (gap,) = job.gaps
    before = [one for one in segments if one.epoch == 1]
    assert gap.after_seconds == pytest.approx(sum(one.duration for one in before), abs=0.01)
    assert 4 < gap.seconds < TAKEN_OVER + 4
    found = read([recorder_jobs.file(job)])
    assert max(steps(found.pictures)) < BREAK_BEHIND
    lasted = sum(one.duration for one in segments)
    assert abs(found.pictures[-1] - found.pictures[0] - lasted) < 0.5


async def test_a_recorder_that_leaves_hands_its_jobs_over(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, room: str, anna: Publisher, tmp_path: Path
) -> None:
    async with second_recorder(running_stack, tmp_path), running_stack.held("recorder"):
        key = await recorder_jobs.order(room)
        await recorder_jobs.until_segments(key, 2, within=BEGIN)
        # The stack's own recorder is back; now the other one is told to leave.
    await recorder_jobs.until_segments(key, 2, epoch=2, within=GO_ON)
    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.epoch) == (EgressStatus.COMPLETE, 2)
    assert sum(gap.seconds for gap in job.gaps) < LEASE_SECONDS


async def test_a_recorder_that_was_frozen_goes_on_in_a_new_part(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, room: str, anna: Publisher
) -> None:
    key = await recorder_jobs.order(room)
    there = len(await recorder_jobs.until_segments(key, 2, within=BEGIN))
    pid = running_stack.kill("recorder", signal.SIGSTOP)
    await asyncio.sleep(FROZEN)
    os.kill(pid, signal.SIGCONT)
    await recorder_jobs.until_segments(key, there + 4, within=GO_ON)
    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.epoch) == (EgressStatus.COMPLETE, 1)
    segments = await recorder_jobs.segments.of(key)
    assert [one.n for one in segments] == list(range(len(segments)))
    assert sum(one.discontinuity for one in segments) == 1
    (gap,) = job.gaps
    assert FROZEN - 1 < gap.seconds < FROZEN + 1
    assert max(steps(read([recorder_jobs.file(job)]).pictures)) < BREAK_BEHIND


async def test_a_recorder_that_wakes_up_after_it_was_replaced_writes_no_more(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, room: str, anna: Publisher, tmp_path: Path
) -> None:
    key = await recorder_jobs.order(room)
    await recorder_jobs.until_segments(key, 2, within=BEGIN)
    async with second_recorder(running_stack, tmp_path):
        pid = running_stack.kill("recorder", signal.SIGSTOP)
        try:
            await recorder_jobs.until_segments(key, 1, epoch=2, within=GO_ON)
        finally:
            os.kill(pid, signal.SIGCONT)
        await recorder_jobs.until_segments(key, 4, epoch=2, within=GO_ON)
        await recorder_jobs.stop(key)
        job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.epoch) == (EgressStatus.COMPLETE, 2)
    segments = await recorder_jobs.segments.of(key)
    ends = [one.starts_at + timedelta(seconds=one.duration) for one in segments if one.epoch == 1]
    assert max(ends) < min(one.starts_at for one in segments if one.epoch == 2)
    assert len(job.gaps) == 1


async def test_no_segment_is_lost_where_others_die(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, room: str, anna: Publisher
) -> None:
    key = await recorder_jobs.order(room)
    await recorder_jobs.until_segments(key, 2, within=BEGIN)
    for component in ("egress", "mongodb-egress", "rabbitmq"):
        await running_stack.restart(component)
        there = len(await recorder_jobs.segments.of(key))
        await recorder_jobs.until_segments(key, there + 2, within=GO_ON)
    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.epoch, job.gaps) == (EgressStatus.COMPLETE, 1, ())
    segments = await recorder_jobs.segments.of(key)
    assert [one.n for one in segments] == list(range(len(segments)))
    assert max(steps(read([recorder_jobs.file(job)]).pictures)) < BREAK_BEHIND


async def test_livekit_may_die_and_come_back(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, room: str, anna: Publisher
) -> None:
    key = await recorder_jobs.order(room)
    await recorder_jobs.until_segments(key, 2, within=BEGIN)
    await running_stack.restart("livekit")
    there = len(await recorder_jobs.segments.of(key))
    await recorder_jobs.until_segments(key, there + 4, within=GO_ON)
    job = await recorder_jobs.job(key)
    assert (job.status, job.epoch) == (EgressStatus.ACTIVE, 1)
    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.gaps) == (EgressStatus.COMPLETE, ())
