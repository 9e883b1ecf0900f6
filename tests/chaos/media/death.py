"""LiveKit is killed with people in its rooms and comes back; some of its people do, too."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from deploy.local.running import RunningStack
from tests.chaos.media.aftermath import Death, faults
from tests.chaos.media.crowd import Crowd, crowd
from tests.chaos.media.plays import Fate, Person, Play
from tests.chaos.media.stage import Stage, Verdict, settle, stage


async def livekit_dies(
    stack: RunningStack, fates: Sequence[Fate], *, viewers: int, away: float, within: float
) -> Verdict:
    """A session for each of `fates`, with a host and `viewers` each; LiveKit is kept down for `away` seconds.

    All has to be right `within` seconds of its return. Raises NotReady and NotThere where it cannot begin, or
    where those who come back are not let in.
    """
    async with stage(stack) as scene, crowd(stack.info.livekit_url) as before:
        plays = [await scene.director.open(fate, viewers) for fate in fates]
        await before.join(_tokens(person for play in plays for person in play.people))
        await scene.all_watch(plays)
        async with crowd(stack.info.livekit_url) as after:
            killed_at = await _kill(stack, before, away)
            returned = time.monotonic()
            await after.join(_tokens(person for play in plays for person in play.returning))
            death = Death(killed_at, _sids(before), _sids(after))
            what = f"LiveKit dead for {away:.0f} s"
            verdict = await settle(what, lambda: _faults(scene, plays, death), returned, within)
            await scene.director.end(plays)
    return verdict


async def _kill(stack: RunningStack, before: Crowd, away: float) -> datetime:
    """Kill LiveKit and everybody with it; returns when it was, once LiveKit is back."""
    if away:
        killed_at = datetime.now(UTC)
        async with stack.held("livekit"):
            before.kill()
            await asyncio.sleep(away)
        return killed_at
    killed_at = datetime.now(UTC)
    pid = stack.kill("livekit")
    before.kill()
    await stack.replaced("livekit", pid)
    return killed_at


async def _faults(scene: Stage, plays: Sequence[Play], death: Death) -> list[str]:
    seen = await asyncio.gather(*(scene.look(play) for play in plays))
    return [fault for play, one in zip(plays, seen, strict=True) for fault in faults(play, one, death)]


def _tokens(people: Iterable[Person]) -> dict[str, str]:
    return {person.name: person.token for person in people}


def _sids(people: Crowd) -> dict[str, str]:
    return {name: told.sid for name, told in people.last.items()}
