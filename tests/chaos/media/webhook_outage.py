"""All webhooks are lost for a while in which people come and go."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.chaos.media.live_sessions import LiveSession, Person, WhoReturns
from tests.chaos.media.observation import Observation
from tests.chaos.media.participant_pool import LastEvent, ParticipantPool, participant_pool
from tests.chaos.media.recovery_checks import CLOCKS, PERIOD
from tests.chaos.media.setup import Environment, Verdict, prepared_environment, settle
from tests.chaos.media.webhook_proxy import webhook_proxy
from tests.running_stack import RunningStack

VIEWERS = 2


@dataclass(frozen=True)
class Change:
    """In one session, while no webhook arrived: who left for good, who left and came back, who came."""

    live: LiveSession
    left: Person
    returned: Person
    came: Person


async def webhooks_are_lost(stack: RunningStack, sessions: int, *, seconds: float, within: float) -> Verdict:
    """In each of `sessions` sessions one viewer leaves, one leaves and comes back, one joins, at the start.

    Webhooks are lost for `seconds`; all has to be right `within` seconds after that.
    """
    async with (
        webhook_proxy(stack) as between,
        prepared_environment(stack) as environment,
        participant_pool(stack.info.livekit_url) as people,
    ):
        made = [await environment.sessions.open(WhoReturns.ALL_BACK, VIEWERS) for _ in range(sessions)]
        await people.join({person.name: person.token for live in made for person in live.people})
        await environment.all_watch(made)
        between.dropping = True
        began = time.monotonic()
        earlier = dict(people.last)
        changes = [await _change(environment, live) for live in made]
        await _happen(changes, people)
        gone = {change.left.name: people.last[change.left.name] for change in changes}
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        what = f"webhooks lost for {seconds:.0f} s"
        over = time.monotonic()
        verdict = await settle(
            what, lambda: _faults(environment, changes, people, earlier, gone), over, within
        )
        between.dropping = False
        await environment.sessions.end(made)
    return verdict


async def _change(environment: Environment, live: LiveSession) -> Change:
    return Change(live, live.viewers[0], live.viewers[1], await environment.sessions.viewer(live.session_id))


async def _happen(changes: Sequence[Change], people: ParticipantPool) -> None:
    await people.leave([person.name for one in changes for person in (one.left, one.returned)])
    await people.join({person.name: person.token for one in changes for person in (one.returned, one.came)})


async def _faults(
    environment: Environment,
    changes: Sequence[Change],
    people: ParticipantPool,
    earlier: dict[str, LastEvent],
    gone: dict[str, LastEvent],
) -> list[str]:
    observed = await asyncio.gather(*(environment.observe(one.live) for one in changes))
    return [
        f"{change.live.session_id}: {fault}"
        for change, one in zip(changes, observed, strict=True)
        for fault in (
            *_attendance(change, one, people.last, gone[change.left.name].at),
            *_ledger(change, one, people.last, earlier),
        )
    ]


def _attendance(
    change: Change, observed: Observation, now: dict[str, LastEvent], left_at: datetime
) -> Iterator[str]:
    if (observed.watching, observed.session["viewer_count"]) != (VIEWERS, VIEWERS):
        yield f"{observed.watching} are watching, {observed.session['viewer_count']} counted, not {VIEWERS}"
    left, returned, came = (
        observed.rows.get(person.user_id, {}) for person in (change.left, change.returned, change.came)
    )
    if not _near(left.get("left_at"), left_at, before=PERIOD, after=CLOCKS):
        yield f"who left at {left_at} is shown as {left}"
    if (returned.get("join_count"), returned.get("left_at")) != (2, None):
        yield f"who returned is shown as {returned}"
    there_at = now[change.came.name].at
    if came.get("left_at") or not _near(came.get("joined_at"), there_at, before=PERIOD, after=CLOCKS):
        yield f"who was there by {there_at} is shown as {came}"


def _ledger(
    change: Change, observed: Observation, now: dict[str, LastEvent], earlier: dict[str, LastEvent]
) -> Iterator[str]:
    wanted = {
        "missed_leave": {earlier[person.name].sid for person in (change.left, change.returned)},
        "missed_join": {now[person.name].sid for person in (change.returned, change.came)},
    }
    for kind, sids in wanted.items():
        if (found := set(observed.repaired(kind))) != sids:
            yield f"{kind} in the ledger of {found}, not of {sids}"


def _near(moment: str | None, truth: datetime, *, before: timedelta, after: timedelta) -> bool:
    return moment is not None and -before <= datetime.fromisoformat(moment) - truth <= after
