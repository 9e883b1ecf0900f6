"""What a client shows: a bearer token, or an API key in one of its two forms."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import Unauthenticated
from shared.ids import is_id


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    secret: str

    @property
    def digest(self) -> bytes:
        """A name for this pair that does not reveal the secret."""
        return hashlib.sha256(f"{self.id}\n{self.secret}".encode()).digest()


def read_credentials(headers: Mapping[str, str]) -> str | ApiKey | None:
    """The bearer token or API key that was sent, None for nobody; raises `Unauthenticated`.

    `Authorization` wins over `X-API-Key`.
    """
    authorization = headers.get("Authorization")
    if authorization is not None:
        return _authorization(authorization)
    key = headers.get("X-API-Key")
    return None if key is None else _key(*key.strip().partition("."))


def _authorization(value: str) -> str | ApiKey:
    scheme, _, rest = value.partition(" ")
    kind, rest = scheme.lower(), rest.strip()
    if kind == "bearer" and rest:
        return rest
    if kind == "basic" and rest:
        return _basic(rest)
    raise Unauthenticated("Send Authorization: Bearer <access token>", code="token_invalid")


def _basic(encoded: str) -> ApiKey:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        raise refused_key() from None
    return _key(*text.partition(":"))


def _key(identifier: str, separator: str, secret: str) -> ApiKey:
    # Secrets of ours are ASCII; bytes that are no UTF-8 come as text that cannot be encoded again.
    if not separator or not secret or not secret.isascii() or not is_id(identifier):
        raise refused_key()
    return ApiKey(identifier.lower(), secret)


def refused_key() -> Unauthenticated:
    return Unauthenticated("The API key is not valid", code="api_key_invalid")
