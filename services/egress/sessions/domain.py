"""A session as this service knows it: its newest state, and whether it was deleted."""

from dataclasses import dataclass

from shared.contracts.states import SessionState, SessionStatus

_OVER = frozenset({SessionStatus.ENDED, SessionStatus.EXPIRED})


@dataclass(frozen=True)
class KnownSession:
    """`deleted` is for good, whatever comes later."""

    state: SessionState
    deleted: bool = False

    @property
    def id(self) -> str:
        return self.state.id

    @property
    def version(self) -> int:
        return self.state.version

    @property
    def live(self) -> bool:
        return self.state.status is SessionStatus.LIVE and not self.deleted

    @property
    def over(self) -> bool:
        """For good: it never goes live again."""
        return self.deleted or self.state.status in _OVER
