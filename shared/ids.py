"""Ids and secrets: UUIDv7 in string form, so that ids sort by the time they were made."""

import secrets
import uuid

from uuid_utils.compat import uuid7


def new_id() -> str:
    """A fresh UUIDv7 as 36 lower-case characters."""
    return str(uuid7())


def is_id(value: str) -> bool:
    """Whether `value` is a UUID in its canonical 36-character form, of any version."""
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def new_secret(size: int = 32) -> str:
    """`size` random bytes as URL-safe text."""
    return secrets.token_urlsafe(size)
