"""Terminal output of the stack: lines prefixed with their component, and logs followed as they grow.

Components write to their log files themselves: the supervisor never blocks a busy service, and a detached
stack costs nothing for lines that nobody watches.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
BOLD, RED, RESET = "\x1b[1m", "\x1b[31m", "\x1b[0m"
NAME_WIDTH = 19
POLL_SECONDS = 0.2


class Console:
    """Writes prefixed lines to one stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colours = stream.isatty()

    def say(self, text: str) -> None:
        """A line of the stack itself."""
        self._write("greenroom", text, BOLD)

    def warn(self, name: str, text: str) -> None:
        """Something about a component that needs attention."""
        self._write(name, text, RED)

    def log(self, name: str, text: str) -> None:
        """Output of a component; every line of it gets the prefix."""
        colour = COLOURS[zlib.crc32(name.encode()) % len(COLOURS)]
        self._write(name, text, f"\x1b[{colour}m")

    def raw(self, text: str) -> None:
        """Lines that carry their prefix already."""
        self._stream.write(text)
        self._stream.flush()

    def _write(self, name: str, text: str, style: str) -> None:
        prefix = f"{name:<{NAME_WIDTH}}| "
        if self._colours:
            prefix = f"{style}{prefix}{RESET}"
        self._stream.write("".join(f"{prefix}{line}\n" for line in text.splitlines()))
        self._stream.flush()


class Tail:
    """The whole lines added to one file from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def read(self) -> str:
        if not self._path.exists():
            return ""
        if self._path.stat().st_size < self._offset:  # rotated: a new file has begun
            self._offset = 0
        with self._path.open("rb") as file:
            file.seek(self._offset)
            added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.decode(errors="replace")


async def follow(tails: Iterable[tuple[str, Tail]], show: Callable[[str, str], None]) -> None:
    """Show the lines added to the logs, until cancelled."""
    logs = list(tails)
    while True:
        for name, tail in logs:
            if text := tail.read():
                show(name, text)
        await asyncio.sleep(POLL_SECONDS)
