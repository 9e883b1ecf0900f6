"""`make soak`: half load for half an hour on a private stack, and whether anything grows."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal

from shared.runtime import log
from tests.chaos.load import Size
from tests.machine_info import described
from tests.running_stack import given_or_private_stack
from tests.soak.report import keep, show
from tests.soak.run import Plan, run

# What `make rolling` sends; half of it is half load.
FULL_RATE = 200.0


def soak(
    minutes: Annotated[float, typer.Option(help="How long.", min=1, max=1440)] = 30,
    warm_up: Annotated[float, typer.Option(help="Minutes at its begin that are not judged.", min=0)] = 7.5,
    rate: Annotated[float, typer.Option(help="Requests a second.", min=1)] = FULL_RATE / 2,
    hosts: Annotated[int, typer.Option(help="Hosts with sessions beside.", min=1, max=50)] = 2,
    viewers: Annotated[int, typer.Option(help="Their viewers.", min=0, max=500)] = 6,
    media: Annotated[float, typer.Option(help="Minutes between sessions with media; 0: none.", min=0)] = 5,
    data_dir: Annotated[
        Path | None, typer.Option(help="Use the stack that runs here, instead of a private one.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Where soak.json and soak.svg go.")] = Path("docs/results"),
) -> None:
    """Work at half load, and look at memory, file descriptors and tasks of each process meanwhile.

    Exit status: 0 when all of them are flat and there are no dead letters; 1 otherwise.
    """
    log.configure(service="soak", level="ERROR", output="console")
    terminal, where = Terminal(), described()
    plan = Plan(60 * minutes, 60 * warm_up, rate, Size(hosts, viewers), media_every=60 * media)
    with given_or_private_stack(data_dir, "soak") as stack:
        result = asyncio.run(run(stack, plan, terminal.print))
    show(terminal, result)
    keep(results, where, plan, result)
    terminal.print(f"written: {results}/soak.json, {results}/soak.svg")
    raise typer.Exit(1 if result.faults else 0)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(soak)
    app()
