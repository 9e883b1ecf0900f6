"""Libraries with their visibility, and where they are kept."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.event import Event
from shared.contracts.people_and_catalog_events import LibraryCreated, LibraryUpdated
from shared.contracts.states import LibraryState, Visibility
from shared.persistence.mongo import ASCENDING, DESCENDING, Duplicate, Index
from shared.persistence.repository import Repository


@dataclass(kw_only=True)
class Library:
    """`public` libraries appear in public lists; rooms and sessions of `unlisted` ones are found by id only.

    Sessions of a `registered_only` one cannot be joined by guests, who gave a name only.
    """

    id: str
    version: int = 1
    organization_id: str
    name: str
    visibility: Visibility
    registered_only: bool = False
    is_default: bool = False
    created_at: datetime
    updated_at: datetime

    @property
    def listed(self) -> bool:
        return self.visibility is Visibility.PUBLIC

    def created(self) -> Sequence[Event]:
        return [LibraryCreated(library=self.state())]

    def edit(
        self,
        now: datetime,
        *,
        name: str | None = None,
        visibility: Visibility | None = None,
        registered_only: bool | None = None,
    ) -> Sequence[Event]:
        """Change the given fields."""
        self.name = self.name if name is None else name
        self.visibility = self.visibility if visibility is None else visibility
        self.registered_only = self.registered_only if registered_only is None else registered_only
        self.updated_at = now
        return [LibraryUpdated(library=self.state())]

    def state(self) -> LibraryState:
        return LibraryState.model_validate(self, from_attributes=True)


class LibraryRepository(Repository[Library]):
    collection_name = "libraries"
    noun = "library"
    entity = Library
    indexes = (Index([("organization_id", ASCENDING), ("_id", DESCENDING)]),)

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
