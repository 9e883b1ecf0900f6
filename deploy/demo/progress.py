"""The progress of the demo: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

COLUMNS = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=14))


class ProgressStep(Protocol):
    """One step under way."""

    def advance(self, by: float = 1) -> None: ...

    def detail(self, text: str) -> None:
        """A note on the step; the last one is shown when it is over."""
        ...


class ProgressDisplay(Protocol):
    def step(self, title: str, total: float = 1) -> AbstractContextManager[ProgressStep]:
        """Show a step while the block runs: done at its end, failed if it raises."""
        ...

    def counts(self, text: str) -> None:
        """Show the live counts."""
        ...

    def note(self, text: str) -> None:
        """Show something unusual that the demo copes with."""
        ...


@contextmanager
def display_on(console: Console, now: Callable[[], float]) -> Iterator[ProgressDisplay]:
    """The display for this console, for as long as the block runs. `now` gives seconds."""
    if not console.is_terminal:
        yield LineDisplay(console, now)
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield BarDisplay(live)


class _Step:
    text = ""

    def advance(self, by: float = 1) -> None:
        """Lines have no bar."""

    def detail(self, text: str) -> None:
        self.text = text


class _Bar(_Step):
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, by: float = 1) -> None:
        self._progress.advance(self._task, by)


class LineDisplay:
    """A line for each finished step and for each change of the counts, with seconds since the start."""

    def __init__(self, console: Console, now: Callable[[], float]) -> None:
        self._console = console
        self._now = now
        self._start = now()
        self._counts = ""

    @contextmanager
    def step(self, title: str, total: float = 1) -> Iterator[ProgressStep]:  # noqa: ARG002 - there is no bar
        step = _Step()
        with _shown_failure(lambda word: self._print(f"{title}: {word}")):
            yield step
        self._print(f"{title}: {step.text or 'done'}")

    def counts(self, text: str) -> None:
        if text != self._counts:
            self._counts = text
            self._print(f"  {text}")

    def note(self, text: str) -> None:
        self._print(f"  {text}")

    def _print(self, text: str) -> None:
        seconds = self._now() - self._start
        self._console.print(f"{seconds:6.1f} s  {text}", markup=False, highlight=False, soft_wrap=True)


class BarDisplay:
    """The current step with its bar, the live counts beneath it; above them the finished steps."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._progress = Progress(*COLUMNS)
        self._counts = Text(style="cyan")
        live.update(Group(self._progress, self._counts))

    @contextmanager
    def step(self, title: str, total: float = 1) -> Iterator[ProgressStep]:
        task = self._progress.add_task(title, total=total)
        bar = _Bar(self._progress, task)
        try:
            with _shown_failure(lambda word: self._print(Text("✗ ", "red"), title, word)):
                yield bar
            self._print(Text("✓ ", "green"), title, bar.text)
        finally:
            self._progress.remove_task(task)

    def counts(self, text: str) -> None:
        self._counts.plain = f"  {text}"

    def note(self, text: str) -> None:
        self._print(Text("! ", "yellow"), text, "")

    def _print(self, mark: Text, title: str, detail: str) -> None:
        self._live.console.print(mark + Text(title) + Text(f"  {detail}", "dim"), soft_wrap=True)


@contextmanager
def _shown_failure(show: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        show("interrupted" if isinstance(error, asyncio.CancelledError) else "failed")
        raise
