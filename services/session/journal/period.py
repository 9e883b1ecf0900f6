"""Which entries of the journal are asked for by their time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.session.journal.domain import EntryKind, JournalEntry
from shared.persistence.mongo import Document

# How long the journal is kept.
KEPT = timedelta(days=90)


@dataclass(frozen=True)
class JournalPlace:
    """A place in the journal by time: entries of the same millisecond are in the order they came."""

    at: datetime
    place: str

    @classmethod
    def of(cls, entry: JournalEntry) -> "JournalPlace":
        return cls(entry.at, entry.place)

    def query(self) -> Document:
        """What comes after it."""
        return {"$or": [{"at": {"$gt": self.at}}, {"at": self.at, "place": {"$gt": self.place}}]}


@dataclass(frozen=True, kw_only=True)
class JournalPeriod:
    """The entries of these kinds (None: all) from `since` to before `until`."""

    kinds: Collection[EntryKind] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def query(self) -> Document:
        bounds = {"$gte": self.since, "$lt": self.until}
        at = {operator: moment for operator, moment in bounds.items() if moment is not None}
        kinds = {"kind": {"$in": sorted(self.kinds)}} if self.kinds is not None else {}
        return kinds | ({"at": at} if at else {})
