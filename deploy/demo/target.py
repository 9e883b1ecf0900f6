"""The stack that a demo runs on: one that runs already, or one started for the demo."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.demo.errors import DemoFailed
from deploy.local.control import start_detached, stop
from deploy.local.data_dir import DataDir, supervisor_of
from deploy.local.stack import Stack

START_SECONDS = 120.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Target:
    """`started` says that the stack was started for the demo."""

    stack: Stack
    started: bool


@contextmanager
def target(data: DataDir, show: Callable[[str], None], *, keep: bool) -> Iterator[Target]:
    """A ready stack for as long as the block runs; what was started for it is stopped then, unless kept.

    Raises DemoFailed where a running one does not get ready, and what `start_detached` raises.
    """
    if supervisor_of(data) is not None:
        yield Target(_ready(data), started=False)
        return
    stack = start_detached(data, None, START_SECONDS, show, tied=not keep)
    try:
        yield Target(stack, started=True)
    finally:
        if not keep:
            stop(data)


def _ready(data: DataDir) -> Stack:
    """The stack of another supervisor, which may still be starting it."""
    deadline = time.monotonic() + START_SECONDS
    while not data.stack_file.exists():
        if time.monotonic() > deadline:
            raise DemoFailed(f"the stack on {data.root} is not ready; see `greenroom status`")
        time.sleep(POLL_SECONDS)
    return Stack.load(data.stack_file)
