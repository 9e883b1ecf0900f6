"""All scenes around LiveKit in full size, one after the other, and what is kept of them."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from deploy.demo.progress import ProgressDisplay
from tests.chaos.media.live_sessions import WhoReturns
from tests.chaos.media.livekit_outage import livekit_dies
from tests.chaos.media.participant_pool import NotThere
from tests.chaos.media.setup import NotReady, Verdict
from tests.chaos.media.webhook_outage import webhooks_are_lost
from tests.running_stack import RunningStack

# 20 sessions with 60 people; two of them, as many as two cores can record, have a stream and a recording.
FATES = (*[WhoReturns.GONE] * 9, *[WhoReturns.HOST_BACK] * 6, *[WhoReturns.ALL_BACK] * 3)
STREAMED = (WhoReturns.GONE, WhoReturns.ALL_BACK)
VIEWERS = 2
SILENT_PLAYS = 5
PERIOD = 10.0
RIGHT_WITHIN = 30.0

Scenario = Callable[[RunningStack], Awaitable[Verdict]]


def _death(away: float) -> Scenario:
    return lambda stack: livekit_dies(
        stack, FATES, viewers=VIEWERS, away=away, within=RIGHT_WITHIN, streamed=STREAMED
    )


SCENARIOS: Mapping[str, Scenario] = {
    "kill livekit under 60 people": _death(0),
    "kill livekit for 20 s": _death(20),
    "lose all webhooks for 60 s": lambda stack: webhooks_are_lost(
        stack, SILENT_PLAYS, seconds=60, within=PERIOD
    ),
}


async def run(stack: RunningStack, show: ProgressDisplay) -> list[Verdict]:
    """A scenario that cannot be set up is a fault."""
    verdicts = []
    for title, environment in SCENARIOS.items():
        with show.step(title) as step:
            verdicts.append(last := await _played(title, environment, stack))
            step.detail(f"{len(last.faults)} faults, {last.seconds:.1f} s after")
    return verdicts


async def _played(title: str, environment: Scenario, stack: RunningStack) -> Verdict:
    began = time.monotonic()
    try:
        return await environment(stack)
    except (NotReady, NotThere) as error:
        return Verdict(title, time.monotonic() - began, [f"{type(error).__name__}: {error}"])


def keep(folder: Path, verdicts: Sequence[Verdict]) -> None:
    """Write chaos-livekit.json, where there is something to write."""
    if not verdicts:
        return
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sessions": len(FATES) + len(STREAMED),
        "streamed": len(STREAMED),
        "people": (len(FATES) + len(STREAMED)) * (VIEWERS + 1),
        "scenes": [asdict(verdict) for verdict in verdicts],
    }
    (folder / "chaos-livekit.json").write_text(json.dumps(kept, indent=2) + "\n")


def tell(console: Console, verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        state = f"{len(verdict.faults)} faults" if verdict.faults else "✓ all right"
        console.print(f"{verdict.what}: {state} {verdict.seconds:.1f} s after", markup=False)
        for fault in verdict.faults:
            console.print(f"✗ {fault}", style="red", markup=False)
