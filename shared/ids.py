"""Ids and secrets: UUIDv7 in string form, so that ids sort by the time they were made."""

import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from string import ascii_lowercase

from uuid_utils.compat import uuid7

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROOM_CODE = re.compile("[a-z]{3}-[a-z]{4}-[a-z]{3}")


def new_id() -> str:
    """A fresh UUIDv7 as 36 lower-case characters."""
    return str(uuid7())


def first_id_at(moment: datetime) -> str:
    """The smallest id of `moment`, in whole milliseconds: all ids made earlier sort before it."""
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return str(uuid.UUID(int=max(milliseconds, 0) << 80 | 0x7 << 76 | 0x2 << 62))


def is_id(value: str) -> bool:
    """Whether `value` is a UUID in its canonical 36-character form, of any version."""
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def connection_id(session_id: str, participant_sid: str) -> str:
    """The public id of one connection to a session's room: the same for the same connection."""
    return str(uuid.uuid5(uuid.UUID(session_id), participant_sid))


def new_room_code() -> str:
    """A fresh code that people can type, such as "abc-defg-hij": one of 26**10."""
    letters = "".join(secrets.choice(ascii_lowercase) for _ in range(10))
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"


def is_room_code(value: str) -> bool:
    """Whether `value` has the form of a room code."""
    return _ROOM_CODE.fullmatch(value) is not None


def new_secret(size: int = 32) -> str:
    """`size` random bytes as URL-safe text."""
    return secrets.token_urlsafe(size)
