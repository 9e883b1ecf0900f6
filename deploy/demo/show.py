"""What the person at the terminal sees while the demo runs: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

SPINNER = SpinnerColumn(finished_text=Text("✓", style="green"))
COLUMNS = (
    SPINNER,
    TextColumn("{task.description}", markup=False),
    BarColumn(bar_width=16),
    TextColumn("{task.fields[detail]}", style="dim", markup=False),
)


class Step(Protocol):
    """One step under way."""

    def advance(self, by: float = 1) -> None: ...

    def detail(self, text: str) -> None:
        """What there is to say about it; the last thing said stays."""
        ...


class Show(Protocol):
    def step(self, title: str, total: float = 1) -> AbstractContextManager[Step]:
        """Show a step while the block runs: done at its end, failed where it raises."""
        ...

    def counts(self, text: str) -> None:
        """The live counts as the API gives them now."""
        ...


@contextmanager
def show_on(console: Console, now: Callable[[], float]) -> Iterator[Show]:
    """The display for this console, for as long as the block runs. `now` gives seconds."""
    if not console.is_terminal:
        yield Lines(console, now)
        return
    with Progress(*COLUMNS, console=console, refresh_per_second=8) as progress:
        yield Bars(progress)


class Lines:
    """A line for each step that is over and for each change of the counts, with seconds since the start."""

    def __init__(self, console: Console, now: Callable[[], float]) -> None:
        self._console = console
        self._now = now
        self._start = now()
        self._counts = ""

    @contextmanager
    def step(self, title: str, total: float = 1) -> Iterator[Step]:  # noqa: ARG002 - there is no bar
        detail = _Detail()
        try:
            yield detail
        except BaseException:
            self._print(f"{title}: failed")
            raise
        self._print(f"{title}: {detail.text or 'done'}")

    def counts(self, text: str) -> None:
        if text != self._counts:
            self._counts = text
            self._print(f"  {text}")

    def _print(self, text: str) -> None:
        seconds = self._now() - self._start
        self._console.print(f"{seconds:6.1f} s  {text}", markup=False, highlight=False, soft_wrap=True)


class _Detail:
    text = ""

    def advance(self, by: float = 1) -> None:
        """Lines have no bar."""

    def detail(self, text: str) -> None:
        self.text = text


class Bars:
    """A bar for each step; the counts stand beneath the step under way."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._counts: TaskID | None = None

    @contextmanager
    def step(self, title: str, total: float = 1) -> Iterator[Step]:
        task = self._progress.add_task(title, total=total, detail="")
        try:
            yield _Bar(self._progress, task)
        except BaseException:
            self._progress.update(task, description=f"{title}: failed")
            raise
        self._progress.update(task, completed=total)

    def counts(self, text: str) -> None:
        if self._counts is not None:
            self._progress.remove_task(self._counts)
        self._counts = self._progress.add_task("  now", total=None, detail=text)


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, by: float = 1) -> None:
        self._progress.advance(self._task, by)

    def detail(self, text: str) -> None:
        self._progress.update(self._task, detail=text)
