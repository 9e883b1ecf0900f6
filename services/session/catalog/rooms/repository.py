"""Where rooms are kept."""

from services.session.catalog.rooms.domain import Room
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index
from shared.persistence.repository import Repository


class RoomRepository(Repository[Room]):
    collection_name = "rooms"
    noun = "room"
    entity = Room
    indexes = (
        Index([("listed", ASCENDING), ("_id", DESCENDING)]),
        Index([("library_id", ASCENDING), ("listed", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("host_id", ASCENDING), ("library_id", ASCENDING), ("_id", DESCENDING)]),
    )

    async def list_public(self, library_id: str | None, skip: int, limit: int) -> tuple[list[Room], int]:
        """The rooms of public libraries (or of one of them), the newest first."""
        query: Document = {"listed": True}
        if library_id:
            query["library_id"] = library_id
        return await self.page(query, skip=skip, limit=limit)

    async def list_of_host(
        self, host_id: str, library_id: str | None, skip: int, limit: int
    ) -> tuple[list[Room], int]:
        query: Document = {"host_id": host_id}
        if library_id:
            query["library_id"] = library_id
        return await self.page(query, skip=skip, limit=limit)

    async def any_in_library(self, library_id: str) -> bool:
        return bool(await self.collection.count({"library_id": library_id}, limit=1))

    async def ids_in_library(self, library_id: str) -> list[str]:
        documents = await self.collection.find({"library_id": library_id}, fields=["_id"])
        return [document["_id"] for document in documents]
