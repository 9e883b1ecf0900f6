"""What every scenario needs: a tenant with one host, the API, LiveKit, and observations of sessions."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.livekit import LiveKit, LiveKitApi
from tests.chaos.api_reader import Api
from tests.chaos.caller import Caller, connect
from tests.chaos.load import make_tenant
from tests.chaos.media.live_sessions import LiveSession, SessionStarter
from tests.chaos.media.observation import Observation, observe
from tests.running_stack import RunningStack

LOOK_EVERY = 0.5
SETTLED_WITHIN = 60.0


class NotReady(Exception):
    """Things were not as they have to be before a scenario begins."""


@dataclass(frozen=True)
class Verdict:
    """`seconds` from the beginning of what was measured until all was right; `faults`: what never was."""

    what: str
    seconds: float
    faults: list[str]


@dataclass(frozen=True)
class Environment:
    stack: RunningStack
    api: Api
    admin: str
    sessions: SessionStarter
    livekit: LiveKit

    async def observe(self, live: LiveSession) -> Observation:
        return await observe(self.api, self.admin, self.livekit, live)

    async def all_watch(self, live_sessions: Sequence[LiveSession]) -> None:
        """Wait until each session's viewers are known to be there; raises NotReady."""

        async def missing() -> list[str]:
            observed = await asyncio.gather(*(self.observe(live) for live in live_sessions))
            return [
                f"{one.watching} of {len(live.viewers)} viewers watch {live.session_id}, stream {one.stream}"
                for live, one in zip(live_sessions, observed, strict=True)
                if one.watching != len(live.viewers)
                or one.session["viewer_count"] != one.watching
                or (live.streamed and (one.stream, one.recordings) != ("active", ["recording"]))
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
async def prepared_environment(stack: RunningStack) -> AsyncIterator[Environment]:
    info = stack.info
    livekit = LiveKitApi(info.livekit_url, info.livekit_api_key, info.livekit_api_secret)
    try:
        async with connect(info.base_url) as http:
            caller = Caller(http)
            tenant = await make_tenant(caller, info, 1)
            sessions = SessionStarter(caller, tenant.accounts[0])
            yield Environment(stack, Api(caller), tenant.admin, sessions, livekit)
    finally:
        await livekit.close()
