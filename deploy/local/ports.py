"""Loopback ports that stay the same from one start to the next."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from random import Random

from deploy.local.files import read_json, write_json

LOOPBACK = "127.0.0.1"
# Below the ranges from which Linux and macOS take outgoing ports, so that no client socket sits on ours.
FIRST, LAST = 20_000, 32_000


class PortTaken(Exception):
    """A port that was asked for by number is in use."""


class PortBook:
    """Hands out ports by name and remembers them in a file."""

    def __init__(self, path: Path, random: Random) -> None:
        self._path = path
        self._random = random
        self._known: dict[str, int] = {name: int(port) for name, port in (read_json(path) or {}).items()}
        self._taken: set[int] = set()

    def take(self, name: str, *, preferred: int | None = None, required: int | None = None) -> int:
        """A free port: the required one, else last time's, else the preferred one, else any.

        Raises PortTaken where the required port is in use.
        """
        if required is not None and not is_free(required):
            raise PortTaken(f"port {required} is already in use")
        candidates = (required, self._known.get(name), preferred)
        port = next((p for p in candidates if p and self._usable(p)), None) or next(self._others())
        self._known[name] = port
        self._taken.add(port)
        return port

    def save(self) -> None:
        write_json(self._path, self._known)

    def _usable(self, port: int) -> bool:
        return port not in self._taken and is_free(port)

    def _others(self) -> Iterator[int]:
        start = self._random.randrange(FIRST, LAST)
        known = set(self._known.values())
        for offset in range(LAST - FIRST):
            port = FIRST + (start - FIRST + offset) % (LAST - FIRST)
            if port not in known and self._usable(port):
                yield port
        raise PortTaken(f"no free port between {FIRST} and {LAST}")


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now, with TCP and with UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True
