"""Which of a host's sessions a list shows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.contracts.states import SessionStatus
from shared.ids import first_id_at
from shared.persistence.mongo import Document

# No session is created or starts before its id is made, by the same clock.
_CLOCKS_DIFFER: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class SessionFilter:
    """Those with all that is given, and with any of `status`; times are inclusive."""

    room_id: str | None = None
    room_name: str | None = None
    room_name_contains: str | None = None
    status: Sequence[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def queries(self) -> list[Document]:
        """One for each state, in the order in which sessions go through them: an index serves each."""
        query = self._query()
        if self.status is None:
            return [query]
        return [query | {"status": status.value} for status in SessionStatus if status in self.status]

    def _query(self) -> Document:
        equal = {"room_id": self.room_id, "room_name": self.room_name}
        query: Document = {field: value for field, value in equal.items() if value is not None}
        bounds: dict[str, Document] = {
            "started_at": {"$gte": self.started_after, "$lte": self.started_before},
            "created_at": {"$gte": self.created_after, "$lte": self.created_before},
            "_id": {"$lte": self._newest_id()},
        }
        for field, bound in bounds.items():
            given = {operator: value for operator, value in bound.items() if value is not None}
            if given:
                query[field] = given
        if self.room_name_contains is not None:
            contained = {"room_name": {"$regex": re.escape(self.room_name_contains)}}
            query = {"$and": [query, contained]} if "room_name" in query else query | contained
        return query

    def _newest_id(self) -> str | None:
        """An id tells when it was made, which spares looking at what is newer than the times asked for."""
        before = min(filter(None, (self.started_before, self.created_before)), default=None)
        return first_id_at(before + _CLOCKS_DIFFER) if before else None
