"""What every scene needs: a house with one host, the API, LiveKit, and a look at how things are."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.livekit import LiveKit, LiveKitApi
from tests.chaos.api_reader import Api
from tests.chaos.caller import Caller, connect
from tests.chaos.load import make_house
from tests.chaos.media.live_sessions import Director, Play
from tests.chaos.media.observation import Seen, look
from tests.running_stack import RunningStack

LOOK_EVERY = 0.5
SETTLED_WITHIN = 60.0


class NotReady(Exception):
    """Things were not as they have to be before a scene begins."""


@dataclass(frozen=True)
class Verdict:
    """`seconds` from the beginning of what was measured until all was right; `faults`: what never was."""

    what: str
    seconds: float
    faults: list[str]


@dataclass(frozen=True)
class Stage:
    stack: RunningStack
    api: Api
    admin: str
    director: Director
    livekit: LiveKit

    async def look(self, play: Play) -> Seen:
        return await look(self.api, self.admin, self.livekit, play)

    async def all_watch(self, plays: Sequence[Play]) -> None:
        """Wait until each play's viewers are known to be there; raises NotReady."""

        async def missing() -> list[str]:
            seen = await asyncio.gather(*(self.look(play) for play in plays))
            return [
                f"{one.watching} of {len(play.viewers)} viewers watch {play.session_id}, stream {one.stream}"
                for play, one in zip(plays, seen, strict=True)
                if one.watching != len(play.viewers)
                or one.session["viewer_count"] != one.watching
                or (play.streamed and (one.stream, one.recordings) != ("active", ["recording"]))
            ]

        before = await settle("people are known", missing, time.monotonic(), SETTLED_WITHIN)
        if before.faults:
            raise NotReady(before.faults)


async def settle(
    what: str, faults: Callable[[], Awaitable[list[str]]], began: float, within: float
) -> Verdict:
    """Look until there are no faults, or for `within` seconds from `began` (monotonic)."""
    while True:
        found = await faults()
        took = time.monotonic() - began
        if not found or took > within:
            return Verdict(what, took, found)
        await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def stage(stack: RunningStack) -> AsyncIterator[Stage]:
    info = stack.info
    livekit = LiveKitApi(info.livekit_url, info.livekit_api_key, info.livekit_api_secret)
    try:
        async with connect(info.base_url) as http:
            caller = Caller(http)
            house = await make_house(caller, info, 1)
            director = Director(caller, house.accounts[0])
            yield Stage(stack, Api(caller), house.admin, director, livekit)
    finally:
        await livekit.close()
