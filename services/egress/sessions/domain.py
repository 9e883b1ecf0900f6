"""What the reconciler knows of a session: its newest state, and whether it was deleted."""

from dataclasses import dataclass

from shared.contracts.states import SessionState, SessionStatus

_OVER = frozenset({SessionStatus.ENDED, SessionStatus.EXPIRED})


@dataclass(frozen=True)
class KnownSession:
    """`deleted` is for good, whatever comes later."""

    state: SessionState
    deleted: bool = False

    @property
    def live(self) -> bool:
        return self.state.status is SessionStatus.LIVE and not self.deleted

    @property
    def over(self) -> bool:
        """For good: it never goes live again."""
        return self.deleted or self.state.status in _OVER

    def holds(self, state: SessionState, *, deleted: bool) -> bool:
        """Whether that state, or the deletion in it, is no news."""
        return self.deleted or (not deleted and self.state.version >= state.version)
