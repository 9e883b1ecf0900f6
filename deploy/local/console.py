"""Lines for the person who watches: each begins with the component it is about, coloured on a terminal."""

from __future__ import annotations

import zlib
from typing import TextIO

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
BOLD, RED, RESET = "\x1b[1m", "\x1b[31m", "\x1b[0m"
NAME_WIDTH = 19


class Console:
    """Writes prefixed lines to one stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colours = stream.isatty()

    def say(self, text: str) -> None:
        """A line of the stack itself."""
        self._write("greenroom", text, BOLD)

    def warn(self, name: str, text: str) -> None:
        """Something about a component that deserves a look."""
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
