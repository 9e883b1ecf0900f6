"""Passwords as argon2id hashes; a hash takes about 0.1 s and 64 MiB, so their number is limited."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import Unavailable

T = TypeVar("T")

# With these many waiting the last of them waits about as long as the gateway does.
_WAITING = 64


class Hasher(Protocol):
    """argon2's hasher, or a stand-in."""

    def hash(self, password: str) -> str: ...

    def verify(self, hash: str, password: str) -> bool: ...  # noqa: A002


class Passwords:
    """`at_once` hashes run in threads of their own, so that other work does not wait for them."""

    def __init__(self, at_once: int = 2, hasher: Hasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")
        self._most = at_once + _WAITING
        self._asked = 0
        # Verified against if there is no account, so that both refusals take the same time.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """Raises `Unavailable` if too many are waiting."""
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether `password` is the one behind `stored`; None takes as long and is False.

        Raises `Unavailable` if too many are waiting.
        """
        good = await self._run(lambda: self._verify(password, stored or self._nobody))
        return good and stored is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._asked >= self._most:
            raise Unavailable("Too many people are signing in at the same time", code="sign_in_busy")
        self._asked += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # Counted until it is done, even if nobody waits any longer.
        future.add_done_callback(self._done)
        return await future

    def _done(self, _: object) -> None:
        self._asked -= 1

    def _verify(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
