"""Which of a host's sessions a list shows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

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

    def query(self) -> Document:
        contained = None if self.room_name_contains is None else re.escape(self.room_name_contains)
        bounds: dict[str, Document] = {
            "room_id": {"$eq": self.room_id},
            "room_name": {"$eq": self.room_name, "$regex": contained},
            "status": {"$in": self.status},
            "started_at": {"$gte": self.started_after, "$lte": self.started_before},
            "created_at": {"$gte": self.created_after, "$lte": self.created_before},
            "_id": {"$lte": self._newest_id()},
        }
        given = {
            field: {operator: value for operator, value in bound.items() if value is not None}
            for field, bound in bounds.items()
        }
        return {field: bound for field, bound in given.items() if bound}

    def _newest_id(self) -> str | None:
        """An id tells when it was made, which spares looking at what is newer than the times asked for."""
        before = min(filter(None, (self.started_before, self.created_before)), default=None)
        return first_id_at(before + _CLOCKS_DIFFER) if before else None
