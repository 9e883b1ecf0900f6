"""Shows the components' logs while they grow.

Components write to their files themselves: the supervisor is never in the way of a busy service, and a
detached stack costs nothing for lines that nobody watches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

POLL_SECONDS = 0.2


class Tail:
    """What is added to one file from now on, in whole lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def read(self) -> str:
        if not self._path.exists():
            return ""
        if self._path.stat().st_size < self._offset:  # moved aside: a new file has begun
            self._offset = 0
        with self._path.open("rb") as file:
            file.seek(self._offset)
            added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.decode(errors="replace")


async def follow(tails: Iterable[tuple[str, Tail]], show: Callable[[str, str], None]) -> None:
    """Show what the logs grow by, until cancelled."""
    logs = list(tails)
    while True:
        for name, tail in logs:
            if text := tail.read():
                show(name, text)
        await asyncio.sleep(POLL_SECONDS)
