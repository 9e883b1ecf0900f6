"""Loopback ports that stay the same from one start to the next, and that no two stacks share."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from random import Random, SystemRandom

from deploy.local import StackError
from deploy.local.data_dir import read_json, write_json

LOOPBACK = "127.0.0.1"
# Below the ranges from which Linux and macOS take outgoing ports, so that no client socket sits on ours.
FIRST, LAST = 20_000, 32_000
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


class PortTaken(StackError):
    """A required port is in use."""


class PortBook(ExitStack):
    """Hands out ports by name, remembers them in a file, and keeps them for this stack until it is closed.

    A component serves one protocol on its port; the book binds the same port of the other protocol, so that
    another stack finds it taken while the component has yet to start, or is down for a moment.
    """

    def __init__(self, path: Path, random: Random | None = None) -> None:
        super().__init__()
        self._path = path
        self._random = random or SystemRandom()
        self._known: dict[str, int] = {name: int(port) for name, port in (read_json(path) or {}).items()}

    def take(
        self,
        name: str,
        serves: socket.SocketKind = TCP,
        *,
        preferred: int | None = None,
        required: int | None = None,
    ) -> int:
        """A free port: the required one, else last time's, else the preferred one, else any.

        Raises PortTaken if the required port is in use.
        """
        candidates = (self._known.get(name), preferred) if required is None else (required,)
        port = next((p for p in candidates if p and self._reserve(p, serves)), None)
        if port is None and required is not None:
            raise PortTaken(f"port {required} is already in use: choose another, or 0 for any")
        self._known[name] = port or self._any(serves)
        return self._known[name]

    def save(self) -> None:
        write_json(self._path, self._known)

    def _any(self, serves: socket.SocketKind) -> int:
        known = set(self._known.values())
        start = self._random.randrange(FIRST, LAST)
        for port in chain(range(start, LAST), range(FIRST, start)):
            if port not in known and self._reserve(port, serves):
                return port
        raise PortTaken(f"no free port between {FIRST} and {LAST}")

    def _reserve(self, port: int, serves: socket.SocketKind) -> bool:
        """Whether the port is reserved for this book now."""
        if not is_free(port, serves):
            return False
        placeholder = socket.socket(socket.AF_INET, UDP if serves is TCP else TCP)
        try:
            placeholder.bind((LOOPBACK, port))
        except OSError:
            placeholder.close()
            return False
        self.enter_context(placeholder)
        return True


def is_free(port: int, kind: socket.SocketKind = TCP) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is TCP:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
