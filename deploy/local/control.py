"""Controls a stack from another process: starts it in the background, waits for it, stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from deploy.local import StackError
from deploy.local.console import Tail
from deploy.local.data_dir import DataDir, supervisor_of
from deploy.local.process import dies_with_parent
from deploy.local.stack import Stack

POLL_SECONDS = 0.05
STOP_SECONDS = 45.0


class StartRefused(StackError):
    """The supervisor ended, or was not ready in time; its output is in its log."""


def supervisor_command(data: DataDir, port: int | None, timeout: float) -> list[str]:
    """The command line of a supervisor that shows only its own lines."""
    command = [sys.executable, "-m", "deploy.cli", "up", "--no-logs"]
    command += ["--data-dir", str(data.root), "--timeout", str(timeout)]
    return command + ([] if port is None else ["--port", str(port)])


def start_detached(
    data: DataDir,
    port: int | None,
    timeout: float,
    show: Callable[[str], None],
    *,
    tied: bool = False,
) -> Stack:
    """Start a supervisor of its own and return when the stack is ready, showing its lines meanwhile.

    A tied one is stopped by the kernel when this process dies. Raises StartRefused if the supervisor ends
    first; nothing is left running then.
    """
    data.create()
    data.stack_file.unlink(missing_ok=True)  # of a supervisor that was killed
    log = data.log_of("supervisor")
    tail = Tail(log)
    with log.open("a") as output:
        supervisor = _launch(supervisor_command(data, port, timeout), output, tied=tied)
    try:
        return _ready_stack(data, supervisor, tail, show)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise


def _launch(command: list[str], output: IO[str], *, tied: bool) -> subprocess.Popen[bytes]:
    """A supervisor in a session of its own, with the project as its working directory."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=Path(__file__).resolve().parents[2],
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGTERM) if tied else None,
    )


def _ready_stack(
    data: DataDir, supervisor: subprocess.Popen[bytes], tail: Tail, show: Callable[[str], None]
) -> Stack:
    while True:
        status = supervisor.poll()
        show(tail.read())
        if status is not None:
            raise StartRefused(f"the supervisor ended with status {status}")
        if supervisor_of(data) == supervisor.pid and data.stack_file.exists():
            return Stack.load(data.stack_file)
        time.sleep(POLL_SECONDS)


def wait_for_stack(data: DataDir, seconds: float) -> Stack:
    """The stack of another supervisor, which may still be starting it. Raises StartRefused."""
    deadline = time.monotonic() + seconds
    while not data.stack_file.exists():
        if time.monotonic() > deadline:
            raise StartRefused(f"the stack on {data.root} is not ready; see `greenroom status`")
        time.sleep(POLL_SECONDS)
    return Stack.load(data.stack_file)


def stop(data: DataDir) -> int | None:
    """Stop the stack of this directory and wait until it is gone; the supervisor's id, or None if none ran.

    One that does not end in time is killed; the kernel then ends its children.
    """
    pid = supervisor_of(data)
    if pid is None:
        data.stack_file.unlink(missing_ok=True)
        return None
    os.kill(pid, signal.SIGTERM)
    if not _gone(data, STOP_SECONDS):
        os.kill(pid, signal.SIGKILL)
        _gone(data, STOP_SECONDS)
    return pid


def _gone(data: DataDir, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while supervisor_of(data) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
