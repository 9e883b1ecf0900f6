"""LiveKit is killed with people in its rooms and comes back; some of its people do, too."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tests.chaos.media.live_sessions import Fate, Person, Play
from tests.chaos.media.participant_pool import Crowd, crowd
from tests.chaos.media.recovery_checks import Death, faults
from tests.chaos.media.setup import Stage, Verdict, settle, stage
from tests.running_stack import RunningStack

# Beyond the end of the sessions, for the files of what was recorded.
FILED_WITHIN = 60.0


async def livekit_dies(
    stack: RunningStack,
    fates: Sequence[Fate],
    *,
    viewers: int,
    away: float,
    within: float,
    streamed: Sequence[Fate] = (),
) -> Verdict:
    """A session for each of `fates`, with a host and `viewers` each; LiveKit is kept down for `away` seconds.

    Those of `streamed` have a stream and a recording besides.

    All has to be right `within` seconds of its return. Raises NotReady and NotThere where it cannot begin, or
    where those who come back are not let in.
    """
    async with stage(stack) as scene, crowd(stack.info.livekit_url) as before:
        plays = [await scene.director.open(fate, viewers) for fate in fates]
        plays += [await scene.director.open(fate, viewers, streamed=True) for fate in streamed]
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
            if streamed and not verdict.faults:
                return await settle(what, lambda: _files(scene, plays), returned, within + FILED_WITHIN)
    return verdict


async def _files(scene: Stage, plays: Sequence[Play]) -> list[str]:
    """Of each streamed session there is one recording, and it is whole."""
    streamed = [play for play in plays if play.streamed]
    seen = await asyncio.gather(*(scene.look(play) for play in streamed))
    return [
        f"{play.session_id}: recordings {one.recordings}, stream {one.stream}"
        for play, one in zip(streamed, seen, strict=True)
        if one.recordings != ["completed"] or one.stream not in {"ended", "none"}
    ]


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
