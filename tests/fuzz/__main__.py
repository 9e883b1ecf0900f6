"""`make fuzz`: thousands of valid and invalid calls over all operations; each answer is checked against the
document.

python -m tests.fuzz [--cases N] [--seed N] [--only "POST /rooms"] [--no-crowds] [--data-dir DIR]
    [--results DIR]
"""

import asyncio
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.local.stack import Stack
from tests.fuzz.chart import svg
from tests.fuzz.findings import Finding, Findings
from tests.fuzz.read_latency import ReadLatency, faults, measure
from tests.fuzz.run import fuzz
from tests.machine_info import described, in_one_line
from tests.running_stack import given_or_private_stack


def main(
    cases: Annotated[int, typer.Option(help="How many calls.", min=10)] = 10_000,
    seed: Annotated[int | None, typer.Option(help="Repeat the run of this seed as far as ids allow.")] = None,
    only: Annotated[str | None, typer.Option(help='Only operations like this: "POST /rooms".')] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="A running stack; else one is started for it.")
    ] = None,
    crowds: Annotated[bool, typer.Option(help="Measure reads beside slow, idle and large clients.")] = True,
    results: Annotated[Path, typer.Option(help="Where fuzz.json and fuzz.svg go.")] = Path("docs/results"),
) -> None:
    """Call every operation with good and bad data: as a host, a viewer, an administrator, an API key, nobody.

    A finding is a 5xx, or a status, content type or body that /openapi.json does not promise. Then others
    read while a thousand clients idle, and while many are slow or send too much: they must hardly notice.

    Exit status: 0 without findings, 1 with some.
    """
    where = described()
    terminal, seed = Terminal(), time.time_ns() % 2**32 if seed is None else seed
    started = time.monotonic()
    with given_or_private_stack(data_dir, "fuzz") as stack:
        findings = _watched(terminal, stack.info, cases, seed, only)
        served = asyncio.run(measure(stack.info)) if crowds else []
    seconds = round(time.monotonic() - started)
    _keep(results, where, findings, served, planned=cases, seed=seed, only=only, seconds=seconds)
    _tell_crowds(terminal, served)
    for finding in findings.all():
        _show(terminal, finding)
    once = sum(findings.reached().values())
    terminal.print(
        f"{findings.cases} cases, {len(findings.by_operation)} operations ({once} succeeded at least once), "
        f"seed {seed}: {len(findings.all())} findings; written: {results}/fuzz.json, {results}/fuzz.svg",
        highlight=False,
    )
    raise typer.Exit(1 if findings.all() or faults(served) else 0)


def _watched(terminal: Terminal, stack: Stack, cases: int, seed: int, only: str | None) -> Findings:
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=terminal) as bar:
        task = bar.add_task("starting", total=cases)

        def progress(doing: str, findings: Findings) -> None:
            if not terminal.is_terminal and findings.cases - bar.tasks[task].completed >= cases / 20:
                terminal.print(f"{findings.cases} of {cases} cases, {len(findings.all())} findings")
            elif not terminal.is_terminal:
                return
            bar.update(
                task, completed=findings.cases, description=f"{len(findings.all())} findings · {doing}"
            )

        return fuzz(stack, cases=cases, seed=seed, only=only, progress=progress)


def _show(terminal: Terminal, finding: Finding) -> None:
    what = f"{finding.check}, status {finding.status} ({finding.times} times)"
    head = f"{finding.operation} as {finding.caller}: {what}"
    terminal.print(head, style="red", markup=False, highlight=False)
    for text in (finding.message, finding.sample, finding.answer):
        terminal.print(text, markup=False, highlight=False, soft_wrap=True)


def _tell_crowds(terminal: Terminal, served: list[ReadLatency]) -> None:
    for one in served:
        told = f"p50 {one.p50_ms:g} ms, p99 {one.p99_ms:g} ms, {one.failed} of {one.reads} failed"
        terminal.print(f"reads beside {one.beside}: {told}", markup=False, highlight=False)
    for fault in faults(served):
        terminal.print(fault, style="red", markup=False)


def _keep(
    results: Path, where: dict[str, str], findings: Findings, served: list[ReadLatency], **run: object
) -> None:
    results.mkdir(parents=True, exist_ok=True)
    found = {"crowd_faults": faults(served), "crowds": [asdict(one) for one in served]}
    at = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
    document = {**at, **where, **run, **findings.summary(), **found}
    (results / "fuzz.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    (results / "fuzz.svg").write_text(svg(f"Greenroom fuzzed, {in_one_line(where)}", findings, served))


if __name__ == "__main__":
    typer.run(main)
