"""The status of a stack: what the supervisor recorded, and what each component answers now."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp

from deploy.local import probes
from deploy.local.data_dir import DataDir, supervisor_of
from deploy.local.plan import DATA_SERVICES
from deploy.local.ports import LOOPBACK
from deploy.local.stack import ComponentState, Phase, Stack, StackState

NOT_ANSWERING = "not answering"
_DEADLINE = aiohttp.ClientTimeout(total=2)
_LINE = re.compile(r'^greenroom_bus_dead_letters\{group="([^"]+)"\} (\S+)$', re.MULTILINE)
ANSWERING = (Phase.READY, Phase.TAKEN)


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
