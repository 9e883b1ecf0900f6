"""Where rooms are kept."""

from dataclasses import dataclass
from datetime import datetime

from services.session.catalog.rooms.domain import Room
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index
from shared.persistence.repository import Repository


@dataclass(frozen=True, kw_only=True)
class RoomFilter:
    """Of a host's rooms those with all that is given; times are inclusive, `cursor` is exclusive."""

    name: str | None = None
    enabled: bool | None = None
    preset_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    join_from_after: datetime | None = None
    join_until_before: datetime | None = None
    cursor: str | None = None


ALL = RoomFilter()


class RoomRepository(Repository[Room]):
    collection_name = "rooms"
    noun = "room"
    entity = Room
    indexes = (
        Index([("name_key", ASCENDING)], unique=True, sparse=True),
        Index([("listed", ASCENDING), ("_id", DESCENDING)]),
        Index([("library_id", ASCENDING), ("listed", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("library_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("name_lower", ASCENDING), ("_id", DESCENDING)]),
    )

    async def list_public(self, library_id: str | None, skip: int, limit: int) -> tuple[list[Room], int]:
        """The rooms of public libraries (or of one of them), the newest first."""
        query: Document = {"listed": True}
        if library_id:
            query["library_id"] = library_id
        return await self.page(query, skip=skip, limit=limit)

    async def list_of_host(
        self, host_id: str, library_id: str | None, skip: int, limit: int, wanted: RoomFilter = ALL
    ) -> tuple[list[Room], int]:
        query: Document = {"host_id": host_id, **_query(wanted)}
        if library_id:
            query["library_id"] = library_id
        return await self.page(query, skip=skip, limit=limit)

    async def any_in_library(self, library_id: str) -> bool:
        return bool(await self.collection.count({"library_id": library_id}, limit=1))

    async def ids_in_library(self, library_id: str) -> list[str]:
        documents = await self.collection.find({"library_id": library_id}, fields=["_id"])
        return [document["_id"] for document in documents]


def _query(wanted: RoomFilter) -> Document:
    query: Document = {}
    if wanted.name is not None:
        query["name_lower"] = wanted.name.lower()
    if wanted.enabled is not None:
        query["disabled_at"] = {"$exists": not wanted.enabled}
    if wanted.preset_id is not None:
        query["preset_id"] = wanted.preset_id
    created = {"$gte": wanted.created_after, "$lte": wanted.created_before}
    bounds: dict[str, Document] = {
        "created_at": created,
        "options.join_from": {"$gte": wanted.join_from_after},
        "options.join_until": {"$lte": wanted.join_until_before},
        "_id": {"$lt": wanted.cursor},
    }
    for field, bound in bounds.items():
        given = {operator: value for operator, value in bound.items() if value is not None}
        if given:
            query[field] = given
    return query
