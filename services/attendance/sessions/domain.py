"""What attendance needs to know of a session."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from shared.clock import milliseconds
from shared.contracts.states import PresetSettings, Role, SessionState, SessionStatus, StageSeat

# Of a session; None stands for everyone, and the empty set for its counts alone.
People = Set[str] | None

_STAFF = frozenset({Role.HOST, Role.CO_HOST})
_OVER = frozenset({SessionStatus.ENDED, SessionStatus.EXPIRED})


@dataclass(frozen=True)
class SessionView:
    """A session as last reported; `deleted` is for good, whatever comes later.

    `banned`: since when each user may not join.
    """

    id: str
    version: int
    organization_id: str
    library_id: str
    host_id: str
    status: SessionStatus
    ended_at: datetime | None
    roles: dict[str, Role]
    preset: PresetSettings
    stage: dict[str, StageSeat]
    banned: dict[str, datetime]
    chat_enabled_override: bool | None = None
    stage_enabled_override: bool | None = None
    deleted: bool = False

    @classmethod
    def of(cls, state: SessionState, *, deleted: bool = False) -> "SessionView":
        return cls(
            id=state.id,
            version=state.version,
            organization_id=state.organization_id,
            library_id=state.library_id,
            host_id=state.host_id,
            status=state.status,
            ended_at=milliseconds(state.ended_at) if state.ended_at else None,
            roles=dict(state.roles),
            preset=state.preset,
            stage=dict(state.stage),
            banned={user: milliseconds(since) for user, since in state.banned.items()},
            chat_enabled_override=state.chat_enabled_override,
            stage_enabled_override=state.stage_enabled_override,
            deleted=deleted,
        )

    @property
    def over(self) -> bool:
        return self.status in _OVER

    @property
    def staff(self) -> frozenset[str]:
        """The host and the co-hosts: people who are no viewers, however they connect."""
        return frozenset({self.host_id, *(user for user, role in self.roles.items() if role in _STAFF)})


def affected(before: SessionView | None, after: SessionView) -> People:
    """Whose attendance has to be recomputed when `after` is received and `before` was stored.

    Everyone's if it is the first state of the session, and if it is the same version again: its first
    handling may have died half-way.
    """
    if before is None or after.deleted or before.version == after.version:
        return None
    if after.version < before.version:
        return frozenset()
    if before.ended_at != after.ended_at:
        return None
    return (before.staff ^ after.staff) | (after.banned.keys() - before.banned.keys())
