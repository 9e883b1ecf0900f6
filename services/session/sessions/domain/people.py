"""What a session stores about people, beside their roles and places on stage."""

from dataclasses import dataclass, field
from datetime import datetime

from services.session.sessions.domain.presence import HostConnection
from shared.contracts.states import Role


@dataclass(frozen=True, kw_only=True)
class Ban:
    """A banned person: since when, by whom, and why.

    `device_id` is their device, if known, and `others` are the other users who registered from it: all of
    them are banned, and whoever registers from it later.
    """

    id: str
    device_id: str | None = None
    others: tuple[str, ...] = ()
    banned_by: str
    reason: str | None
    banned_at: datetime

    @property
    def ids(self) -> frozenset[str]:
        """The users and the device that it is about, but for the user under whose id it is kept."""
        return frozenset(self.others) | ({self.device_id} if self.device_id else set())


@dataclass(kw_only=True)
class Assignment:
    """The latest role of a person, co-host or moderator; `removed_at` if it was revoked.

    `visits` are their connections by sid, as far as reported.
    """

    id: str
    username: str
    role: Role
    assigned_by: str
    assigned_at: datetime
    removed_at: datetime | None = None
    visits: dict[str, HostConnection] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        return self.removed_at is None

    @property
    def joined_at(self) -> datetime | None:
        """When they first joined; None if they never did."""
        return min((one.joined_at for one in self.visits.values() if one.joined_at), default=None)

    @property
    def left_at(self) -> datetime | None:
        """When they were there last; None while they are."""
        ends = [one.left_at for one in self.visits.values()]
        return max((end for end in ends if end), default=None) if None not in ends else None
