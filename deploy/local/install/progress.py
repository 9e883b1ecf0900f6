"""Runs long installers: reports that they run, and their output if they fail."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO

REPORT_EVERY_SECONDS = 10
POLL_SECONDS = 0.1
LINES_SHOWN = 20


class InstallFailed(Exception):
    """Something could not be installed; the message says what, why and what to do."""


def say(text: str) -> None:
    sys.stderr.write("".join(f"install | {line}\n" for line in text.splitlines()))


def run(
    label: str, command: Sequence[str], *, env: Mapping[str, str] | None = None, advice: str = ""
) -> None:
    """Run a command, reporting every 10 s that it runs. Raises InstallFailed with its last lines."""
    say(f"{label} …")
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        status = _watched(label, command, env, output)
        if status == 0:
            return
        output.seek(0)
        lines = output.read().splitlines()[-LINES_SHOWN:]
    shown = "\n".join(f"    {line}" for line in lines)
    raise InstallFailed(f"{label} failed (`{' '.join(command)}`):\n{shown}\n{advice}".rstrip())


def _watched(label: str, command: Sequence[str], env: Mapping[str, str] | None, output: IO[str]) -> int:
    started = reported = time.monotonic()
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )
    try:
        while process.poll() is None:
            time.sleep(POLL_SECONDS)
            now = time.monotonic()
            if now - reported > REPORT_EVERY_SECONDS:
                reported = now
                say(f"{label} … {now - started:.0f} s")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    return process.returncode
