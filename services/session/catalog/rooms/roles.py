"""What a customer's person is in a room."""

from enum import StrEnum


class TokenRole(StrEnum):
    """A `host` is a co-host of the room's sessions, a `guest` always on stage."""

    HOST = "host"
    MODERATOR = "moderator"
    GUEST = "guest"
    AUDIENCE = "audience"
