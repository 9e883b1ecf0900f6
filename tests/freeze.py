"""Freezes processes, like a machine that stops for a while."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

_DEADLINE = 10.0


def freeze(pid: int) -> None:
    """SIGSTOP; returns when each of its threads stands still, as the signal alone does not promise."""
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + _DEADLINE
    while not _stands_still(pid):
        assert time.monotonic() < deadline, f"{pid} goes on"
        time.sleep(0.005)


def _stands_still(pid: int) -> bool:
    """Where the system does not tell of threads, the signal has to do."""
    told = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(text.rpartition(")")[2].split()[0] in "tT" for text in told)
