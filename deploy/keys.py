"""New keys for an installation: base64url of 32 bytes, without padding."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key for access tokens."""

    kid: str
    private_key: str
    public_key: str


def new_signing_key(kid: str) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return SigningKey(kid, _base64url(private.private_bytes_raw()), _base64url(public))


def new_sealing_key() -> str:
    """A key for the keyring."""
    return _base64url(secrets.token_bytes(32))


def new_key_id(now: datetime) -> str:
    """Ids sort by the day they were made, and do not repeat."""
    return f"{now:%Y%m%d}-{secrets.token_hex(3)}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
