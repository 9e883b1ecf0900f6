"""What attendance needs to know of a session."""

from collections.abc import Set
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.clock import milliseconds
from shared.contracts.states import PresetSettings, Role, SessionState, SessionStatus, StageSeat

# Of a session; None stands for everyone, and the empty set for its counts alone.
People = Set[str] | None

_Moment = Annotated[datetime, AfterValidator(milliseconds)]

_STAFF = frozenset({Role.HOST, Role.CO_HOST})
_OVER = frozenset({SessionStatus.ENDED, SessionStatus.EXPIRED})


class SessionView(BaseModel):
    """A session as last reported; `deleted` is for good, whatever comes later.

    `banned`: since when each user may not join. `complete` as in `ProjectedSession`.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    organization_id: str
    library_id: str
    host_id: str
    status: SessionStatus
    ended_at: _Moment | None
    roles: dict[str, Role]
    preset: PresetSettings
    stage: dict[str, StageSeat] = Field(default_factory=dict)
    banned: dict[str, _Moment]
    chat_enabled_override: bool | None = None
    stage_enabled_override: bool | None = None
    registered_only: bool = False
    deleted: bool = False
    complete: bool = True

    @classmethod
    def of(cls, state: SessionState, *, deleted: bool = False) -> "SessionView":
        return cls.model_validate(state, from_attributes=True).model_copy(update={"deleted": deleted})

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
