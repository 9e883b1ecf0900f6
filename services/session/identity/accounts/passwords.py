"""Passwords as argon2id hashes; a hash takes about 0.1 s and 64 MiB, so their number is limited."""

from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.session.identity.accounts.fair_queue import Asker, FairQueue

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
        self._queue = FairQueue(at_once, _WAITING, "passwords")
        # Verified against if there is no account, so that both refusals take the same time.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str, asker: Asker) -> str:
        """Raises `Unavailable` if too many are waiting."""
        return await self._queue.run(asker, lambda: self._hasher.hash(password))

    async def matches(self, password: str, stored: str | None, asker: Asker) -> bool:
        """Whether `password` is the one behind `stored`; None takes as long and is False.

        Raises `Unavailable` if too many are waiting.
        """
        good = await self._queue.run(asker, lambda: self._verify(password, stored or self._nobody))
        return good and stored is not None

    def _verify(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
