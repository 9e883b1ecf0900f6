"""What the stack's recorder shows of people in a real room: every shape whole, every camera and screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import av
import jwt
import pytest
from PIL import Image

from deploy.local.data_dir import last_lines
from deploy.local.stack import Stack
from shared.contracts.states import Layout
from shared.egress.engine import EncodingOptions
from shared.egress.keys import preview_key
from tests.bench.api import connect
from tests.publishers.pictures import (
    Area,
    Filled,
    Part,
    PicturePublisher,
    Whole,
    as_wanted,
    last_picture,
    tones,
)
from tests.publishers.publisher import host_token
from tests.publishers.recorder_jobs import RecorderJobs
from tests.publishers.session import LiveSession
from tests.running_stack import RunningStack
from tests.waiting import Found, equal_to, eventually

pytestmark = pytest.mark.timeout(420)

DEADLINE = 90.0
LINES = 20
# Without a name, which would hide a corner.
NAMELESS = "\u200b"
ALONE, LEFT, RIGHT = Area(160, 0, 960, 720), Area(0, 180, 640, 360), Area(640, 180, 640, 360)
SCREEN, BESIDE, BELOW = Area(32, 0, 960, 720), Area(1056, 0, 192, 144), Area(1056, 144, 192, 144)
FIRST, SECOND, PHONE, ANNAS, BOBS = 70, 150, 100, 120, 180
# Where a 640x480 and a 480x480 picture are whole in the left and the right half.
FIRST_WHOLE, SECOND_WHOLE = Whole(Area(80, 180, 480, 360), FIRST), Whole(Area(780, 180, 360, 360), SECOND)


@dataclass
class Watched:
    """A job of which each new segment is looked at; a failure tells the end of the recorder's log."""

    jobs: RecorderJobs
    key: str
    log: Path
    seen: int = 0

    async def shows(self, *parts: Part) -> None:
        """Wait until the picture has all of these parts; fails with what it has in their place."""

        async def found() -> dict[Part, list[int]]:
            picture = last_picture(await self._next())
            return {part: part.seen(picture) for part in parts}

        await self._eventually(found, as_wanted)

    async def sounds(self, wanted: set[int]) -> None:
        """Wait until these frequencies are heard."""

        async def found() -> set[int]:
            return tones(await self._next())

        await self._eventually(found, equal_to(wanted))

    async def _eventually(
        self, look: Callable[[], Awaitable[Found]], wanted: Callable[[Found], object]
    ) -> None:
        try:
            await eventually(look, wanted, DEADLINE)
        except AssertionError as error:
            error.add_note("\n".join(["the recorder's log ends:", *last_lines(self.log, LINES)]))
            raise

    async def _next(self) -> Path:
        segments = await self.jobs.until_segments(self.key, self.seen + 1, within=DEADLINE)
        self.seen = len(segments)
        return self.jobs.storage / segments[-1].path


@asynccontextmanager
async def joined(url: str, token: str, publisher: PicturePublisher) -> AsyncIterator[PicturePublisher]:
    await publisher.join(url, token)
    try:
        yield publisher
    finally:
        await publisher.close()


def somebody(running: RunningStack, place: LiveSession) -> AbstractAsyncContextManager[PicturePublisher]:
    """Another of the host's devices."""
    publisher, info = PicturePublisher(NAMELESS, place.host_id), running.info
    token = host_token(info.livekit_api_key, info.livekit_api_secret, place.session_id, publisher)
    return joined(info.livekit_url, token, publisher)


@asynccontextmanager
async def a_guest(stack: Stack, session: str) -> AsyncIterator[PicturePublisher]:
    """Another person, on stage."""
    async with connect(stack) as api:
        viewer = await api.viewer()
        guest = jwt.decode(viewer, options={"verify_signature": False})["sub"]
        await api.call("POST", f"/sessions/{session}/stage/add", {"participant_identity": guest})
        token = (await api.call("POST", f"/sessions/{session}/join", token=viewer))["livekit_token"]
    async with joined(stack.livekit_url, token, PicturePublisher(NAMELESS, guest)) as publisher:
        yield publisher


async def test_shapes_cameras_and_screens(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, place: LiveSession
) -> None:
    key = await recorder_jobs.order(place.session_id)
    watched = Watched(recorder_jobs, key, running_stack.data.log_of("recorder"))
    async with somebody(running_stack, place) as anna, somebody(running_stack, place) as bob:
        await anna.show_picture("phone", (360, 640), PHONE, turned=1)
        await watched.shows(Whole(Area(438, 0, 404, 720), PHONE))
        await anna.take_back("phone")

        await anna.show_picture("first", (640, 480), FIRST)
        await watched.shows(Whole(ALONE, FIRST))
        await anna.show_picture("second", (480, 480), SECOND)
        await watched.shows(FIRST_WHOLE, SECOND_WHOLE)
        anna.mute("first")
        await watched.shows(Whole(Area(280, 0, 720, 720), SECOND))
        anna.mute("first", on=False)
        await watched.shows(FIRST_WHOLE, SECOND_WHOLE)
        await anna.take_back("second")

        await bob.show_picture("screen", (640, 480), BOBS, screen=True)
        await bob.sound_of_screen("film", 500)
        await watched.shows(Whole(SCREEN, BOBS), Whole(BESIDE, FIRST))
        await anna.show_picture("screen", (640, 480), ANNAS, screen=True)
        await anna.sound_of_screen("song", 800)
        await watched.shows(Whole(SCREEN, ANNAS), Whole(BESIDE, BOBS), Whole(BELOW, FIRST))
        await watched.sounds({500, 800})
        await anna.take_back("screen")
        await watched.shows(Whole(SCREEN, BOBS), Whole(BESIDE, FIRST))
    await recorder_jobs.stop(key)


async def test_cameras_of_two_people_fill_their_halves(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, place: LiveSession
) -> None:
    key = await recorder_jobs.order(place.session_id)
    watched = Watched(recorder_jobs, key, running_stack.data.log_of("recorder"))
    async with (
        somebody(running_stack, place) as anna,
        a_guest(running_stack.info, place.session_id) as guest,
    ):
        await anna.show_picture("first", (640, 480), FIRST)
        await guest.show_picture("second", (480, 480), SECOND)
        await watched.shows(Filled(LEFT, FIRST), Filled(RIGHT, SECOND))
        await guest.take_back("second")
        await watched.shows(Whole(ALONE, FIRST))
    await recorder_jobs.stop(key)


SMALL = EncodingOptions(width=640, height=360, frame_rate=20, video_kbps=600, layout=Layout.SPEAKER)
# Where a 640x480 and a 480x480 picture are whole: large, beside, and alone.
FIRST_LARGE, SECOND_BESIDE = Whole(Area(16, 0, 480, 360), FIRST), Whole(Area(540, 0, 72, 72), SECOND)
SECOND_LARGE, FIRST_BESIDE = Whole(Area(76, 0, 360, 360), SECOND), Whole(Area(528, 0, 96, 72), FIRST)
FIRST_ALONE = Whole(Area(80, 0, 480, 360), FIRST)
SECOND_ALONE = Whole(Area(140, 0, 360, 360), SECOND)


async def test_who_speaks_is_large_or_alone_in_the_size_and_rate_asked_for(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, place: LiveSession
) -> None:
    log = running_stack.data.log_of("recorder")
    async with somebody(running_stack, place) as anna, somebody(running_stack, place) as bob:
        await anna.show_picture("first", (640, 480), FIRST)
        key = await recorder_jobs.order(place.session_id, encoding=SMALL)
        watched = Watched(recorder_jobs, key, log)
        await bob.show_picture("second", (480, 480), SECOND)
        await watched.shows(FIRST_LARGE, SECOND_BESIDE)
        await bob.say("talk", 500)
        await watched.shows(SECOND_LARGE, FIRST_BESIDE)
        await recorder_jobs.stop(key)
        bob.mute("talk")
        alone = await recorder_jobs.order(
            place.session_id, file=False, encoding=replace(SMALL, layout=Layout.SINGLE_SPEAKER)
        )
        watched = Watched(recorder_jobs, alone, log)
        await watched.shows(FIRST_ALONE)
        bob.mute("talk", on=False)
        await watched.shows(SECOND_ALONE)
        await recorder_jobs.stop(alone)
    job = await recorder_jobs.until(key, lambda one: one.status.over, within=DEADLINE)
    with av.open(recorder_jobs.storage / str(job.file_key)) as file:
        video = file.streams.video[0]
        assert (video.width, video.height) == (640, 360)
        assert float(video.average_rate or 0) == pytest.approx(20, abs=0.5)
    with Image.open(recorder_jobs.storage / preview_key(str(job.segments_prefix))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (640, 360))
