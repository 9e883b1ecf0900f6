"""`python3 -m deploy.local.install`: install what is missing; immediate if nothing is.

Exit status: 0 when everything is there, 1 when something could not be installed, which is named with what to
do.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.install import environment, packages
from deploy.local.install.packages import InstallFailed, say
from deploy.local.overrides import Overrides, UnusableEnvironment
from deploy.local.programs import LIVEKIT, Program

PROJECT = Path(__file__).resolve().parents[3]
OLDEST_PYTHON = (3, 11)


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        say("Greenroom needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11")
        return 1
    # SIGTERM unwinds like any exception, so that the policy set for apt is removed again.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    started = time.monotonic()
    problems = install()
    for problem in problems:
        say(problem)
    if not problems and time.monotonic() - started > 1:
        say(f"everything is installed, after {time.monotonic() - started:.0f} s")
    return 1 if problems else 0


def install() -> list[str]:
    """Each step by itself, so that one run names everything that cannot be installed."""
    try:
        overrides = Overrides.of(os.environ)
    except UnusableEnvironment as unusable:
        return [str(unusable)]
    needed = overrides.needed_programs()
    wanted = (*needed, *overrides.needed_fonts())
    steps: list[Callable[[], None]] = [
        lambda: packages.install([p for p in wanted if _missing_package(p)]),
        lambda: environment.install(PROJECT),
    ]
    if LIVEKIT in needed:
        steps.append(packages.install_livekit)
    problems = []
    for step in steps:
        try:
            step()
        except InstallFailed as failed:
            problems.append(str(failed))
    return problems


def _missing_package(program: Program) -> bool:
    return program.package is not None and program.find() is None


if __name__ == "__main__":
    sys.exit(main())
