"""Where libraries are kept."""

from services.session.catalog.libraries.domain import Library
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index
from shared.persistence.repository import Repository


class LibraryRepository(Repository[Library]):
    collection_name = "libraries"
    noun = "library"
    entity = Library
    indexes = (Index([("organization_id", ASCENDING), ("_id", DESCENDING)]),)

    async def list_page(
        self, organization_id: str | None, skip: int, limit: int
    ) -> tuple[list[Library], int]:
        query: Document = {"organization_id": organization_id} if organization_id else {}
        return await self.page(query, skip=skip, limit=limit)

    async def delete_of(self, organization_id: str) -> None:
        await self.collection.delete_many({"organization_id": organization_id})
