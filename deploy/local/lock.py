"""One supervisor for each data directory."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from deploy.local.layout import DataDir


class AlreadyRunning(Exception):
    """Another supervisor runs on this data directory."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"a stack already runs here (process {pid})")
        self.pid = pid


@contextmanager
def locked(data: DataDir) -> Iterator[None]:
    """Hold the data directory for this process; the kernel lets go when the process ends, however it ends.

    Raises AlreadyRunning where another process holds it.
    """
    with data.lock_file.open("a+") as file:
        if not _take(file):
            raise AlreadyRunning(_pid_in(data))
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def supervisor_of(data: DataDir) -> int | None:
    """The process id of the supervisor that runs on this data directory, or None."""
    try:
        with data.lock_file.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except BlockingIOError:
        return _pid_in(data)
    return None


def _take(file: IO[str]) -> bool:
    """Try for half a second: `supervisor_of` in another process holds the lock for a moment, too."""
    for _ in range(10):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _pid_in(data: DataDir) -> int:
    text = data.lock_file.read_text().strip()
    return int(text) if text.isdigit() else 0
