"""Which calls of the audit log are asked for."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.states import AuditOutcome
from shared.ids import first_id_at
from shared.persistence.mongo import Document


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """What has all that is given; calls from `since` to before `until`."""

    actor: str | None = None
    operation: str | None = None
    target: str | None = None
    outcome: AuditOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None

    def query(self, cursor: str | None) -> Document:
        """Ids begin with the time they were made at, so that one index serves times and the order."""
        equal = {"actor": self.actor, "operation": self.operation, "targets": self.target}
        query: Document = {name: value for name, value in equal.items() if value is not None}
        if self.outcome is not None:
            query["outcome"] = self.outcome.value
        ends = [cursor, first_id_at(self.until) if self.until else None]
        bounds = {
            "$gte": first_id_at(self.since) if self.since else None,
            "$lt": min((end for end in ends if end is not None), default=None),
        }
        ids = {operator: id_ for operator, id_ in bounds.items() if id_ is not None}
        return query | ({"_id": ids} if ids else {})
