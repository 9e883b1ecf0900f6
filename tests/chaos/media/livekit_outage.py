"""LiveKit is killed with people in its rooms and comes back; some of its people do, too."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tests.chaos.media.live_sessions import LiveSession, Person, WhoReturns
from tests.chaos.media.participant_pool import ParticipantPool, participant_pool
from tests.chaos.media.recovery_checks import Outage, faults
from tests.chaos.media.setup import Environment, Verdict, prepared_environment, settle
from tests.running_stack import RunningStack

# Beyond the end of the sessions, for the files of what was recorded.
FILED_WITHIN = 60.0


async def livekit_dies(
    stack: RunningStack,
    outcomes: Sequence[WhoReturns],
    *,
    viewers: int,
    away: float,
    within: float,
    streamed: Sequence[WhoReturns] = (),
) -> Verdict:
    """A session for each of `outcomes`, with a host and `viewers` each; LiveKit is down for `away` seconds.

    Those of `streamed` have a stream and a recording besides.

    All has to be right `within` seconds of its return. Raises NotReady and NotThere where it cannot begin, or
    where those who come back are not let in.
    """
    async with prepared_environment(stack) as environment, participant_pool(stack.info.livekit_url) as before:
        live_sessions = [await environment.sessions.open(who_returns, viewers) for who_returns in outcomes]
        live_sessions += [
            await environment.sessions.open(who_returns, viewers, streamed=True) for who_returns in streamed
        ]
        await before.join(_tokens(person for live in live_sessions for person in live.people))
        await environment.all_watch(live_sessions)
        async with participant_pool(stack.info.livekit_url) as after:
            killed_at = await _kill(stack, before, away)
            returned = time.monotonic()
            await after.join(_tokens(person for live in live_sessions for person in live.returning))
            outage = Outage(killed_at, _sids(before), _sids(after))
            what = f"LiveKit dead for {away:.0f} s"
            verdict = await settle(
                what, lambda: _faults(environment, live_sessions, outage), returned, within
            )
            await environment.sessions.end(live_sessions)
            if streamed and not verdict.faults:
                return await settle(
                    what, lambda: _files(environment, live_sessions), returned, within + FILED_WITHIN
                )
    return verdict


async def _files(environment: Environment, live_sessions: Sequence[LiveSession]) -> list[str]:
    """Of each streamed session there is one recording, and it is whole."""
    streamed = [live for live in live_sessions if live.streamed]
    observed = await asyncio.gather(*(environment.observe(live) for live in streamed))
    return [
        f"{live.session_id}: recordings {one.recordings}, stream {one.stream}"
        for live, one in zip(streamed, observed, strict=True)
        if one.recordings != ["completed"] or one.stream not in {"ended", "none"}
    ]


async def _kill(stack: RunningStack, before: ParticipantPool, away: float) -> datetime:
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


async def _faults(
    environment: Environment, live_sessions: Sequence[LiveSession], outage: Outage
) -> list[str]:
    observed = await asyncio.gather(*(environment.observe(live) for live in live_sessions))
    return [
        fault
        for live, one in zip(live_sessions, observed, strict=True)
        for fault in faults(live, one, outage)
    ]


def _tokens(people: Iterable[Person]) -> dict[str, str]:
    return {person.name: person.token for person in people}


def _sids(people: ParticipantPool) -> dict[str, str]:
    return {name: last_event.sid for name, last_event in people.last.items()}
