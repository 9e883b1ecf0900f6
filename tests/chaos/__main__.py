"""`make chaos`: kills and freezes the parts of a stack under load, then checks every acknowledged change."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal

from deploy.demo.progress import display_on
from shared.runtime import log
from tests.chaos.load import Size
from tests.chaos.media import run as media
from tests.chaos.report import keep, show
from tests.chaos.rounds import KILLED
from tests.chaos.run import Plan, run
from tests.machine_info import described
from tests.running_stack import given_or_private_stack


def chaos(
    kill: Annotated[
        list[str] | None, typer.Option(help=f"Only this component (repeatable): {', '.join(KILLED)}.")
    ] = None,
    times: Annotated[int, typer.Option(help="How often each is killed.", min=0, max=20)] = 3,
    freeze: Annotated[float, typer.Option(help="Seconds the broker is frozen; 0 for not.", min=0)] = 30,
    hosts: Annotated[int, typer.Option(help="Hosts at work.", min=1, max=50)] = 3,
    viewers: Annotated[int, typer.Option(help="Viewers at work.", min=0, max=500)] = 8,
    pace: Annotated[float, typer.Option(help="Stretches everybody's pauses.", min=0.05, max=10)] = 1.0,
    seed: Annotated[int, typer.Option(help="Of everybody's choices.")] = 1,
    livekit: Annotated[
        bool, typer.Option(help="Kill LiveKit under 60 people, and lose its webhooks.")
    ] = True,
    data_dir: Annotated[
        Path | None, typer.Option(help="Use the stack that runs here, instead of a private one.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Where chaos.json and chaos.svg go.")] = Path("docs/results"),
) -> None:
    """Kill each part of a private stack under load, freeze its broker, and check what it promised.

    Exit status: 0 when every acknowledged change is there, none was applied twice, work went on within 5 s of
    each return, and sessions and attendance were right within 30 s of LiveKit's; 1 otherwise.
    """
    unknown = sorted(set(kill or ()) - set(KILLED))
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(unknown)}; there are {', '.join(KILLED)}")
    log.configure(service="chaos", level="ERROR", output="console")
    terminal, where = Terminal(), described()
    plan = Plan(kill or KILLED, times, freeze, size=Size(hosts, viewers, pace=pace), seed=seed)
    with given_or_private_stack(data_dir, "chaos") as stack, display_on(terminal, time.monotonic) as progress:
        result = asyncio.run(run(stack, plan, progress))
        verdicts = asyncio.run(media.run(stack, progress)) if livekit else []
    show(terminal, result)
    media.tell(terminal, verdicts)
    keep(results, where, plan, result, verdicts)
    media.keep(results, verdicts)
    terminal.print(f"written: {results}/chaos.json, {results}/chaos-livekit.json, {results}/chaos.svg")
    broken = any(verdict.faults for verdict in verdicts)
    raise typer.Exit(1 if result.faults or broken else 0)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(chaos)
    app()
