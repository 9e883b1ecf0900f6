"""The stack's recorder in real rooms: its output, and what it survives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import av
import pytest

from services.recorder.jobs.egress_info import event_id
from services.recorder.media.pipeline import BREAK_BEHIND
from shared.egress.engine import EgressStatus
from shared.egress.segments import Segment
from shared.livekit import LiveKitApi
from tests.publishers.publisher import Publisher, on_stage
from tests.publishers.reading import Read, read
from tests.publishers.recorder_jobs import RecorderJobs, is_over
from tests.publishers.session import LiveSession
from tests.running_stack import RunningStack

pytestmark = pytest.mark.timeout(420)

# Seconds. What is promised is 8 to the first playable playlist and a few to the end; machines are busy.
BEGIN, END = 90.0, 90.0
IN_STEP = 0.08


def files(recorder_jobs: RecorderJobs, segments: Sequence[Segment]) -> list[Path]:
    return [recorder_jobs.storage / segment.path for segment in segments]


def in_step(found: Read) -> list[float]:
    """How far sound and picture are apart, from the first beep on; the least first."""
    return sorted(abs(offset) for offset in found.offsets)


async def test_a_room_becomes_a_stream_and_a_file(
    recorder_jobs: RecorderJobs, room: str, anna: Publisher
) -> None:
    key = await recorder_jobs.order(room)
    await recorder_jobs.until_segments(key, 8, within=BEGIN)
    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.error, job.gaps) == (EgressStatus.COMPLETE, None, ())

    segments = await recorder_jobs.segments.of(key)
    assert [one.n for one in segments] == list(range(len(segments)))
    assert median(one.duration for one in segments) == 2.0
    for before, after in pairwise(segments):
        assert abs((after.starts_at - before.starts_at).total_seconds() - before.duration) < 0.3
    for path in files(recorder_jobs, segments):
        assert path.stat().st_size == segments[int(path.stem)].size
        assert _first_is_key(path)

    streamed, filed = read(files(recorder_jobs, segments)), read([recorder_jobs.file(job)])
    for found in (streamed, filed):
        assert found.size == (1280, 720)
        assert_in_time(found)
        assert len(found.flashes) > 3
        offsets = in_step(found)
        assert offsets[len(offsets) // 4] < IN_STEP, found.offsets
    lasted = sum(one.duration for one in segments)
    assert job.result is not None
    assert abs(filed.pictures[-1] - filed.pictures[0] - lasted) < 0.2
    assert abs(job.result.duration - lasted) < 0.3
    assert job.result.file_size == recorder_jobs.file(job).stat().st_size
    assert recorder_jobs.file(job).with_name(f"{key}.mp4.jpg").read_bytes()[:2] == b"\xff\xd8"


def _first_is_key(path: Path) -> bool:
    with av.open(str(path)) as container:
        return next(container.demux(video=0)).is_keyframe


def assert_in_time(found: Read) -> None:
    """Thirty pictures a second; where a machine is busy some are left out, and never any sound."""
    steps = [after - before for before, after in pairwise(found.pictures)]
    assert median(steps) == pytest.approx(1 / 30, abs=0.001)
    assert min(steps) > 0
    assert max(steps) < BREAK_BEHIND
    assert max(after - before for before, after in pairwise(found.sounds)) < 0.03


async def test_a_file_alone_leaves_no_segments(
    recorder_jobs: RecorderJobs, room: str, anna: Publisher
) -> None:
    key = await recorder_jobs.order(room, stream=False)
    await recorder_jobs.until_segments(key, 2, within=BEGIN)
    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    assert job.status is EgressStatus.COMPLETE
    assert recorder_jobs.file(job).stat().st_size > 0
    await recorder_jobs.until(
        key, lambda _: not (recorder_jobs.storage / f"hls-private/{room}/{key}").exists(), within=END
    )
    await recorder_jobs.until_no_segments(key, within=END)


async def test_nobody_on_stage_is_a_picture_too(recorder_jobs: RecorderJobs, room: str) -> None:
    key = await recorder_jobs.order(room)
    segments = await recorder_jobs.until_segments(key, 2, within=BEGIN)
    await recorder_jobs.stop(key)
    assert (await recorder_jobs.until(key, is_over, within=END)).status is EgressStatus.COMPLETE
    found = read(files(recorder_jobs, segments))
    assert len(found.pictures) > 100
    assert found.beeps == found.flashes == []


async def test_a_room_that_is_closed_ends_its_recording(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, room: str, anna: Publisher
) -> None:
    key = await recorder_jobs.order(room)
    await recorder_jobs.until_segments(key, 2, within=BEGIN)
    await anna.close()
    info = running_stack.info
    livekit = LiveKitApi(info.livekit_url, info.livekit_api_key, info.livekit_api_secret)
    await livekit.delete_room(room)
    await livekit.close()
    job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.error) == (EgressStatus.COMPLETE, None)
    assert read([recorder_jobs.file(job)]).pictures


async def test_what_was_stopped_before_it_began_is_aborted(recorder_jobs: RecorderJobs, room: str) -> None:
    key = await recorder_jobs.order(room)
    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    assert job.status in {EgressStatus.ABORTED, EgressStatus.COMPLETE}
    assert job.ended_at is not None


async def test_the_door_is_told_of_every_state(
    recorder_jobs: RecorderJobs, room: str, anna: Publisher
) -> None:
    key = await recorder_jobs.order(room)
    await recorder_jobs.until_segments(key, 1, within=BEGIN)
    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    told = [
        event_id("egress_started", replace(job, status=EgressStatus.STARTING)),
        event_id("egress_updated", replace(job, status=EgressStatus.ACTIVE)),
        event_id("egress_updated", replace(job, status=EgressStatus.ENDING)),
        event_id("egress_ended", job),
    ]
    assert await recorder_jobs.webhooks(told, within=END) == set(told)


WHOLE, LEFT, RIGHT = (0, 0, 1280, 720), (0, 180, 640, 360), (640, 180, 640, 360)
SCREEN, FIRST_BESIDE, SECOND_BESIDE = (0, 72, 1024, 576), (1024, 0, 256, 144), (1024, 144, 256, 144)


class SegmentWatcher:
    """Looks at what is made from now on."""

    def __init__(self, recorder_jobs: RecorderJobs, key: str):
        self._recorder_jobs = recorder_jobs
        self._key = key

    async def flashes(self, *boxes: tuple[int, int, int, int]) -> list[bool]:
        """In which of the boxes it flashes, two segments from now; each segment lasts for two flashes."""
        there = len(await self._recorder_jobs.segments.of(self._key))
        segments = await self._recorder_jobs.until_segments(self._key, there + 3, within=BEGIN)
        return [len(read(files(self._recorder_jobs, segments[-1:]), box=box).flashes) >= 1 for box in boxes]


async def test_people_come_and_go(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, place: LiveSession, anna: Publisher
) -> None:
    key = await recorder_jobs.order(place.session_id)
    watcher = SegmentWatcher(recorder_jobs, key)
    assert await watcher.flashes(WHOLE) == [True]

    async with on_stage(running_stack, place, "Bob") as bob:
        await bob.show()
        assert await watcher.flashes(LEFT, RIGHT) == [True, True]
        anna.mute("camera")
        assert await watcher.flashes(LEFT, RIGHT) == [False, True]
        anna.mute("camera", on=False)
        await bob.show(screen=True)
        assert await watcher.flashes(SCREEN, FIRST_BESIDE, SECOND_BESIDE) == [True, True, True]
        await bob.take_back("screen")
        # A track that is replaced by another, as by somebody who takes another camera.
        await bob.take_back("camera")
        await bob.show()
        assert await watcher.flashes(LEFT, RIGHT) == [True, True]
        await anna.close()
        assert await watcher.flashes(WHOLE) == [True]
    async with on_stage(running_stack, place, "Anna Lund") as again:
        await again.show()
        await again.speak()
        assert await watcher.flashes(WHOLE) == [True]

    await recorder_jobs.stop(key)
    job = await recorder_jobs.until(key, is_over, within=END)
    assert (job.status, job.epoch, job.gaps) == (EgressStatus.COMPLETE, 1, ())
    assert_in_time(read([recorder_jobs.file(job)]))
