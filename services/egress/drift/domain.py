"""An entry of the drift ledger: what differed, and what was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.event import Event
from shared.contracts.roster_events import DriftRepaired


@dataclass(frozen=True)
class Participant:
    """Whom it was about, where it was about a connection."""

    sid: str
    identity: str
    user_id: str
    username: str


@dataclass(kw_only=True)
class Drift:
    """`at` is when it was repaired, `last_seen_at` the last proof of life of what is gone.

    `estimated`: times that follow from the repair are not exact.
    """

    id: str
    version: int = 1
    at: datetime
    session_id: str
    kind: str
    participant: Participant | None = None
    believed: str
    observed: str
    action: str
    last_seen_at: datetime | None = None
    estimated: bool = True

    def repaired(self) -> Sequence[Event]:
        who = self.participant
        return [
            DriftRepaired(
                session_id=self.session_id,
                drift_id=self.id,
                repaired_at=self.at,
                kind=self.kind,
                participant_sid=who.sid if who else None,
                identity=who.identity if who else None,
                user_id=who.user_id if who else None,
                username=who.username if who else None,
                believed=self.believed,
                observed=self.observed,
                action=self.action,
                last_seen_at=self.last_seen_at,
                estimated=self.estimated,
            )
        ]
