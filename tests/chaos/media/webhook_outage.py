"""All webhooks are lost for a while in which people come and go."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.chaos.media.live_sessions import Fate, Person, Play
from tests.chaos.media.observation import Seen
from tests.chaos.media.participant_pool import Crowd, Told, crowd
from tests.chaos.media.recovery_checks import CLOCKS, PERIOD
from tests.chaos.media.setup import Stage, Verdict, settle, stage
from tests.chaos.media.webhook_proxy import door
from tests.running_stack import RunningStack

VIEWERS = 2


@dataclass(frozen=True)
class Change:
    """In one play, while nobody was told: who left for good, who left and came back, who came."""

    play: Play
    left: Person
    returned: Person
    came: Person


async def webhooks_are_lost(stack: RunningStack, plays: int, *, seconds: float, within: float) -> Verdict:
    """In each of `plays` sessions one viewer leaves, one leaves and comes back, one comes, at the beginning.

    Webhooks are lost for `seconds`; all has to be right `within` seconds after that.
    """
    async with door(stack) as between, stage(stack) as scene, crowd(stack.info.livekit_url) as people:
        made = [await scene.director.open(Fate.ALL_BACK, VIEWERS) for _ in range(plays)]
        await people.join({person.name: person.token for play in made for person in play.people})
        await scene.all_watch(made)
        between.shut = True
        began = time.monotonic()
        earlier = dict(people.last)
        changes = [await _change(scene, play) for play in made]
        await _happen(changes, people)
        gone = {change.left.name: people.last[change.left.name] for change in changes}
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        what = f"webhooks lost for {seconds:.0f} s"
        over = time.monotonic()
        verdict = await settle(what, lambda: _faults(scene, changes, people, earlier, gone), over, within)
        between.shut = False
        await scene.director.end(made)
    return verdict


async def _change(scene: Stage, play: Play) -> Change:
    return Change(play, play.viewers[0], play.viewers[1], await scene.director.viewer(play.session_id))


async def _happen(changes: Sequence[Change], people: Crowd) -> None:
    await people.leave([person.name for one in changes for person in (one.left, one.returned)])
    await people.join({person.name: person.token for one in changes for person in (one.returned, one.came)})


async def _faults(
    scene: Stage,
    changes: Sequence[Change],
    people: Crowd,
    earlier: dict[str, Told],
    gone: dict[str, Told],
) -> list[str]:
    seen = await asyncio.gather(*(scene.look(one.play) for one in changes))
    return [
        f"{change.play.session_id}: {fault}"
        for change, one in zip(changes, seen, strict=True)
        for fault in (
            *_attendance(change, one, people.last, gone[change.left.name].at),
            *_ledger(change, one, people.last, earlier),
        )
    ]


def _attendance(change: Change, seen: Seen, now: dict[str, Told], left_at: datetime) -> Iterator[str]:
    if (seen.watching, seen.session["viewer_count"]) != (VIEWERS, VIEWERS):
        yield f"{seen.watching} are watching, {seen.session['viewer_count']} counted, not {VIEWERS}"
    left, returned, came = (
        seen.rows.get(person.user_id, {}) for person in (change.left, change.returned, change.came)
    )
    if not _near(left.get("left_at"), left_at, before=PERIOD, after=CLOCKS):
        yield f"who left at {left_at} is shown as {left}"
    if (returned.get("join_count"), returned.get("left_at")) != (2, None):
        yield f"who returned is shown as {returned}"
    there_at = now[change.came.name].at
    if came.get("left_at") or not _near(came.get("joined_at"), there_at, before=PERIOD, after=CLOCKS):
        yield f"who was there by {there_at} is shown as {came}"


def _ledger(change: Change, seen: Seen, now: dict[str, Told], earlier: dict[str, Told]) -> Iterator[str]:
    wanted = {
        "missed_leave": {earlier[person.name].sid for person in (change.left, change.returned)},
        "missed_join": {now[person.name].sid for person in (change.returned, change.came)},
    }
    for kind, sids in wanted.items():
        if (found := set(seen.repaired(kind))) != sids:
            yield f"{kind} in the ledger of {found}, not of {sids}"


def _near(moment: str | None, truth: datetime, *, before: timedelta, after: timedelta) -> bool:
    return moment is not None and -before <= datetime.fromisoformat(moment) - truth <= after
