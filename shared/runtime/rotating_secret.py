"""A secret that is replaced while services run: for a while more than one holds."""

import hmac
from collections.abc import Iterable, Iterator
from typing import Self

from pydantic import SecretStr

from shared.errors import Unavailable


class RotatingSecret:
    """The first of `keys` signs, what any of them signed holds; without keys nothing does."""

    def __init__(self, *keys: str | bytes):
        self.keys = tuple(key.encode() if isinstance(key, str) else key for key in keys if key)

    @classmethod
    def of(cls, current: SecretStr, previous: Iterable[SecretStr] = ()) -> Self:
        """From settings: no secret at all without a current one."""
        given = (current, *previous) if current.get_secret_value() else ()
        return cls(*(secret.get_secret_value() for secret in given))

    def __bool__(self) -> bool:
        return bool(self.keys)

    def derived(self, purpose: str) -> "RotatingSecret":
        """Keys for this purpose alone."""
        return RotatingSecret(*(hmac.digest(key, purpose.encode(), "sha256") for key in self.keys))

    def mac(self, content: bytes) -> bytes:
        """HMAC-SHA-256 of the content; raises `Unavailable` without a key."""
        if not self.keys:
            raise Unavailable("No secret is configured for signing")
        return next(self.macs(content))

    def macs(self, content: bytes) -> Iterator[bytes]:
        """Each that holds for the content, `mac` first."""
        return (hmac.digest(key, content, "sha256") for key in self.keys)
