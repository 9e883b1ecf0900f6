"""`make rolling`: two replicas of each service, all of them replaced one after another under load."""

import asyncio
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console as Terminal

from deploy.local.data_dir import DataDir
from shared.runtime import log
from tests.chaos.load import Size
from tests.machine_info import described
from tests.rolling import media
from tests.rolling.report import as_json, keep, show
from tests.rolling.run import Plan, run
from tests.running_stack import private_stack


def rolling(
    rate: Annotated[float, typer.Option(help="Requests a second.", min=1)] = 200,
    hosts: Annotated[int, typer.Option(help="Hosts with sessions beside.", min=1, max=50)] = 2,
    viewers: Annotated[int, typer.Option(help="Their viewers.", min=0, max=500)] = 6,
    replicas: Annotated[bool, typer.Option(help="Two of each service, under load.")] = True,
    stream: Annotated[
        bool, typer.Option(help="Recorder, egress service and relay under a stream, with its recording.")
    ] = True,
    results: Annotated[Path, typer.Option(help="Where rolling.json goes.")] = Path("docs/results"),
) -> None:
    """Replace every replica under load, and look for all that was acknowledged.

    Exit status: 0 when no read and no write with an Idempotency-Key failed, nothing was lost or done twice,
    each replica ended with status 0 within 25 s, 95 % of the requests were sent in time, and the stream went
    on; 1 otherwise.
    """
    log.configure(service="rolling", level="ERROR", output="console")
    terminal, where = Terminal(), described()
    plan = Plan(rate, Size(hosts, viewers))
    with (
        tempfile.TemporaryDirectory(prefix="greenroom-rolling-") as folder,
        private_stack(DataDir.at(Path(folder))) as stack,
    ):
        kept: dict[str, Any] = {}
        faults: list[str] = []
        if stream:
            streamed = asyncio.run(media.run(stack, Path(folder), terminal.print))
            kept["stream"] = asdict(streamed) | {"faults": streamed.faults}
            faults += streamed.faults
        if replicas:
            result = asyncio.run(run(stack, plan, Path(folder), terminal.print))
            show(terminal, result)
            kept["replicas"] = as_json(plan, result)
            faults += result.faults
    keep(results, where | kept)
    terminal.print(f"{len(faults)} faults; written: {results}/rolling.json")
    raise typer.Exit(1 if faults else 0)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(rolling)
    app()
