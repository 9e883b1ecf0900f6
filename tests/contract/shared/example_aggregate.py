"""An aggregate to try repositories on, and what it tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Envelope, Event
from shared.ids import new_id
from shared.persistence.mongo import ASCENDING, Index
from shared.persistence.repository import Repository

AT = datetime(2030, 1, 1, 12, 0, 0, 125_000, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(kw_only=True)
class Part:
    name: str
    made_at: datetime | None = None


@dataclass(kw_only=True)
class Thing:
    """One field of every kind that aggregates have."""

    id: str
    version: int = 1
    count: int = 0
    name: str | None = None
    slug: str | None = None
    colour: Colour = Colour.RED
    seen_at: datetime = AT
    part: Part | None = None
    parts: dict[str, Part] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)

    def told(self) -> Sequence[Event]:
        """One event, which carries the version that the thing is saved as, and its count."""
        return [
            ViewersCounted(
                session_id=self.id, version=self.version, viewer_count=self.count, max_viewers=self.count
            )
        ]

    def add(self, number: int) -> Sequence[Event]:
        self.count += number
        return self.told()


class Things(Repository[Thing]):
    collection_name = "things"
    noun = "thing"
    entity = Thing
    indexes = (
        Index([("slug", ASCENDING)], unique=True, sparse=True),
        Index([("colour", ASCENDING), ("_id", ASCENDING)]),
    )


def thing(**fields: object) -> Thing:
    return Thing(id=new_id(), **fields)  # type: ignore[arg-type]


def versions(envelopes: Sequence[Envelope], id: str) -> list[int]:
    """The versions told of one thing, in the order in which they came."""
    events = [envelope.event for envelope in envelopes]
    return [event.version for event in events if isinstance(event, ViewersCounted) and event.session_id == id]
