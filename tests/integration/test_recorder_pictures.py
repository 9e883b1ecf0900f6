"""What the stack's recorder shows of people in a real room: every shape whole, every camera and screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.publishers.pictures import Area, Luma, PicturePublisher, is_filled, is_whole, last_picture, tones
from tests.publishers.publisher import host_token
from tests.publishers.recorder_jobs import RecorderJobs
from tests.publishers.session import LiveSession
from tests.running_stack import RunningStack
from tests.waiting import equal_to, eventually

pytestmark = pytest.mark.timeout(420)

DEADLINE = 90.0
# Without a name, which would hide a corner.
NAMELESS = "\u200b"
LEFT, RIGHT = Area(0, 180, 640, 360), Area(640, 180, 640, 360)
SCREEN, BESIDE, BELOW = Area(32, 0, 960, 720), Area(1024, 0, 256, 144), Area(1024, 144, 256, 144)
FIRST, SECOND, PHONE, ANNAS, BOBS = 70, 150, 100, 120, 180


@dataclass
class Watched:
    """A job of which each new segment is looked at."""

    jobs: RecorderJobs
    key: str
    seen: int = 0

    async def shows(self, *parts: Callable[[Luma], bool]) -> None:
        """Wait until the picture has all of these parts."""

        async def found() -> list[bool]:
            picture = last_picture(await self._next())
            return [part(picture) for part in parts]

        await eventually(found, equal_to([True] * len(parts)), DEADLINE)

    async def sounds(self, wanted: set[int]) -> None:
        """Wait until these frequencies are heard."""

        async def found() -> set[int]:
            return tones(await self._next())

        await eventually(found, equal_to(wanted), DEADLINE)

    async def _next(self) -> Path:
        segments = await self.jobs.until_segments(self.key, self.seen + 1, within=DEADLINE)
        self.seen = len(segments)
        return self.jobs.storage / segments[-1].path


def whole(area: Area, luma: int) -> Callable[[Luma], bool]:
    return lambda picture: is_whole(picture, area, luma)


def filled(area: Area, luma: int) -> Callable[[Luma], bool]:
    return lambda picture: is_filled(picture, area, luma)


@asynccontextmanager
async def somebody(running: RunningStack, place: LiveSession) -> AsyncIterator[PicturePublisher]:
    publisher, info = PicturePublisher(NAMELESS, place.host_id), running.info
    token = host_token(info.livekit_api_key, info.livekit_api_secret, place.session_id, publisher)
    await publisher.join(info.livekit_url, token)
    try:
        yield publisher
    finally:
        await publisher.close()


async def test_shapes_cameras_and_screens(
    running_stack: RunningStack, recorder_jobs: RecorderJobs, place: LiveSession
) -> None:
    key = await recorder_jobs.order(place.session_id)
    watched = Watched(recorder_jobs, key)
    async with somebody(running_stack, place) as anna, somebody(running_stack, place) as bob:
        await anna.show_picture("phone", (360, 640), PHONE, turned=1)
        await watched.shows(whole(Area(438, 0, 404, 720), PHONE))
        await anna.take_back("phone")

        await anna.show_picture("first", (640, 480), FIRST)
        await watched.shows(whole(Area(160, 0, 960, 720), FIRST))
        await anna.show_picture("second", (480, 480), SECOND)
        await watched.shows(filled(LEFT, FIRST), filled(RIGHT, SECOND))
        anna.mute("first")
        await watched.shows(whole(Area(280, 0, 720, 720), SECOND))
        anna.mute("first", on=False)
        await watched.shows(filled(LEFT, FIRST), filled(RIGHT, SECOND))
        await anna.take_back("second")

        await bob.show_picture("screen", (640, 480), BOBS, screen=True)
        await bob.sound_of_screen("film", 500)
        await watched.shows(whole(SCREEN, BOBS), filled(BESIDE, FIRST))
        await anna.show_picture("screen", (640, 480), ANNAS, screen=True)
        await anna.sound_of_screen("song", 800)
        await watched.shows(whole(SCREEN, ANNAS), whole(Area(1056, 0, 192, 144), BOBS), filled(BELOW, FIRST))
        await watched.sounds({500, 800})
        await anna.take_back("screen")
        await watched.shows(whole(SCREEN, BOBS), filled(BESIDE, FIRST))
    await recorder_jobs.stop(key)
