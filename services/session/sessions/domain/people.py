"""What a session holds of people, beside their roles and places on stage."""

from dataclasses import dataclass, field
from datetime import datetime

from services.session.sessions.domain.presence import HostConnection
from shared.contracts.states import Role


@dataclass(frozen=True, kw_only=True)
class Ban:
    """Who may not come in any more: since when, by whom, and why.

    `device_id` is their device, where they are known by one: whoever registers there anew is out as well.
    """

    id: str
    device_id: str | None = None
    banned_by: str
    reason: str | None
    banned_at: datetime


@dataclass(kw_only=True)
class Assignment:
    """The role that a person was given last, co-host or moderator; `removed_at` where it is theirs no more.

    `visits` are their connections by sid, as far as anybody told of them.
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
        """When they first were there; None where they never were."""
        return min((one.joined_at for one in self.visits.values() if one.joined_at), default=None)

    @property
    def left_at(self) -> datetime | None:
        """When they were there last; None while they are."""
        ends = [one.left_at for one in self.visits.values()]
        return max((end for end in ends if end), default=None) if None not in ends else None
