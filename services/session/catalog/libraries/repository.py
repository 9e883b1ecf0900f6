"""Where libraries are kept."""

from contextlib import suppress
from datetime import datetime

from services.session.catalog.libraries.domain import Library
from shared.contracts.states import Visibility
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Duplicate, Index
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

    async def add_default(self, id: str, organization_id: str, now: datetime) -> None:
        """Make the library that an organization starts with; again changes nothing."""
        library = Library(
            id=id,
            organization_id=organization_id,
            name="Default",
            visibility=Visibility.PUBLIC,
            is_default=True,
            created_at=now,
            updated_at=now,
        )
        with suppress(Duplicate):
            await self.add(library, library.created())

    async def delete_of(self, organization_id: str) -> None:
        await self.collection.delete_many({"organization_id": organization_id})
