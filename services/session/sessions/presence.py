"""Whether a host is there: the rule that ends a session nobody hosts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(kw_only=True)
class HostConnection:
    """One connection of the host, an encoder's included. Joined and left may come in any order."""

    joined_at: datetime | None = None
    left_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.left_at is None


def hostless_since(hosts: Mapping[str, HostConnection], started_at: datetime) -> datetime | None:
    """Since when no host has been there; None while one is."""
    if any(connection.is_open for connection in hosts.values()):
        return None
    departures = [connection.left_at for connection in hosts.values() if connection.left_at]
    return max([started_at, *departures])


def next_check(
    hosts: Mapping[str, HostConnection], started_at: datetime, grace: timedelta, max_duration: timedelta
) -> datetime:
    """When a live session may have to end by itself."""
    since = hostless_since(hosts, started_at)
    longest = started_at + max_duration
    return longest if since is None else min(longest, since + grace)
