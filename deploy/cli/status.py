"""`greenroom status`: what the supervisor recorded, and what each component answers now."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.up import DataDirOption
from deploy.local import probes
from deploy.local.data_dir import DEFAULT_DATA_DIR, DataDir, supervisor_of
from deploy.local.plan import DATA_SERVICES
from deploy.local.ports import LOOPBACK
from deploy.local.stack import ComponentState, Phase, Stack, StackState

NOT_ANSWERING = "not answering"
_DEADLINE = aiohttp.ClientTimeout(total=2)
_LINE = re.compile(r'^greenroom_bus_dead_letters\{group="([^"]+)"\} (\S+)$', re.MULTILINE)
ANSWERING = (Phase.READY, Phase.TAKEN)
RUNNING, DEGRADED, NOT_RUNNING = 0, 1, 3
STYLES = {
    "ready": "green",
    "not answering": "red",
    "restarting": "red",
    "held": "yellow",
    "taken over": "yellow",
}


def status(
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show each component with its process, port, age and restarts, and whether there are dead letters.

    Every component is asked now.

    Exit status: 0 when all are ready, 1 when some are not, 3 when no stack runs here.
    """
    report = asyncio.run(inspect(DataDir.at(data_dir)))
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _show(report)
    if report.supervisor is None:
        raise typer.Exit(NOT_RUNNING)
    raise typer.Exit(RUNNING if report.ready else DEGRADED)


def _show(report: Report) -> None:
    console = Console()
    if report.supervisor is None:
        console.print("No stack runs here. Start one with `greenroom up`.")
        return
    table = Table(title=f"Greenroom, supervised by process {report.supervisor}", title_justify="left")
    for heading in ("component", "state", "pid", "port", "since", "restarts"):
        table.add_column(heading, justify="right" if heading in ("pid", "port", "restarts") else "left")
    for component in report.components:
        state = f"[{STYLES.get(component.state, 'dim')}]{component.state}[/]"
        age = f"{time.time() - component.since:.0f} s" if component.since else ""
        table.add_row(
            component.name, state, str(component.pid or ""), str(component.port), age, str(component.restarts)
        )
    console.print(table)
    _show_dead_letters(console, report.dead_letters)
    if report.base_url:
        console.print(f"Gateway: {report.base_url}", highlight=False)
    if report.mail_url:
        console.print(f"Mails: {report.mail_url}", highlight=False)


def _show_dead_letters(console: Console, letters: dict[str, int]) -> None:
    counts = ", ".join(f"{group} {count}" for group, count in letters.items() if count)
    if counts:
        console.print(f"[red]Dead letters: {counts}[/]; see `greenroom events dead-letters list`")
    else:
        console.print("Dead letters: none")


@dataclass(frozen=True)
class ComponentReport:
    """`state` is the supervisor's phase, or "not answering" for one that should be ready and is not."""

    name: str
    state: str
    pid: int | None
    port: int
    restarts: int
    since: float


@dataclass(frozen=True)
class Report:
    """`supervisor` is its process id, or None when no stack runs; `ready` when every component answers.

    `dead_letters` counts them by group.
    """

    supervisor: int | None = None
    ready: bool = False
    base_url: str | None = None
    mail_url: str | None = None
    components: list[ComponentReport] = field(default_factory=list)
    dead_letters: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def inspect(data: DataDir) -> Report:
    """Ask every component of the stack in this directory."""
    supervisor = supervisor_of(data)
    if supervisor is None:
        return Report()
    known = StackState.load(data.state_file).components.values()
    services = (component.port for component in known if component.name in DATA_SERVICES)
    components, letters = await asyncio.gather(
        asyncio.gather(*(_ask(component) for component in known)), count_dead_letters(services)
    )
    stack = Stack.load(data.stack_file) if data.stack_file.exists() else None
    return Report(
        supervisor,
        ready=stack is not None and all(component.state in ANSWERING for component in components),
        base_url=stack.base_url if stack else None,
        mail_url=stack.mail_url if stack else None,
        components=list(components),
        dead_letters=letters,
    )


async def _ask(known: ComponentState) -> ComponentReport:
    state = str(known.phase)
    if known.phase in ANSWERING and not await probes.answers(known.name, known.port):
        state = NOT_ANSWERING
    return ComponentReport(known.name, state, known.pid, known.port, known.restarts, known.since)


async def count_dead_letters(ports: Iterable[int]) -> dict[str, int]:
    """Dead letters by group, as the services on these loopback ports counted them within the last 5 s."""
    async with aiohttp.ClientSession(timeout=_DEADLINE) as http:
        texts = await asyncio.gather(*(_metrics(http, port) for port in ports))
    return {group: int(float(count)) for text in texts for group, count in _LINE.findall(text)}


async def _metrics(http: aiohttp.ClientSession, port: int) -> str:
    """The service's metrics; empty if it does not answer."""
    try:
        async with http.get(f"http://{LOOPBACK}:{port}/metrics") as answer:
            return await answer.text()
    except (aiohttp.ClientError, TimeoutError):
        return ""
