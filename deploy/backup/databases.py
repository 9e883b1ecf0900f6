"""The three databases, in the order in which they are backed up and restored: owners before who follows them.

What a follower has of its owner may therefore be newer than the owner in a backup of running services; that
is what `catch_up` is for. The other way round an event would be missing that its owner has published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from shared.persistence.mongo import Mongo


class BackedUp(StrEnum):
    """The databases, each named by its service."""

    SESSION = "session"
    EGRESS = "egress"
    ATTENDANCE = "attendance"


# How far everything is published: without it, all that is not cleared is published again.
_LEFT_OUT: Final = frozenset({"outbox_marks"})

# The aggregates. Others keep the `version` of one with what they follow.
VERSIONED: Final[Mapping[BackedUp, frozenset[str]]] = {
    BackedUp.SESSION: frozenset(
        {
            "api_keys",
            "libraries",
            "organizations",
            "polls",
            "presets",
            "reminder_agendas",
            "room_codes",
            "rooms",
            "sessions",
            "stage_requests",
            "users",
        }
    ),
    BackedUp.EGRESS: frozenset({"drift", "egresses", "recordings", "rosters", "streams"}),
    BackedUp.ATTENDANCE: frozenset({"audiences", "leaves"}),
}

Databases = Mapping[BackedUp, Mongo]

# Seconds for one operation; large collections are read and written beside running services.
_TIMEOUT = 60.0


def is_kept(collection: str) -> bool:
    """Whether a collection belongs into backups. What begins with `_` or `system.` only serves a server."""
    return not collection.startswith(("_", "system.")) and collection not in _LEFT_OUT


@contextmanager
def databases_at(uris: Mapping[BackedUp, str]) -> Iterator[Databases]:
    """Their clients; nothing is sent yet."""
    databases = {service: Mongo.from_uri(uris[service], timeout=_TIMEOUT) for service in BackedUp}
    try:
        yield databases
    finally:
        for mongo in databases.values():
            mongo.close()
