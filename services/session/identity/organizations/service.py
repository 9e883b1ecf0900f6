"""What administrators do with organizations."""

from services.session.catalog.libraries.domain import Library
from services.session.catalog.libraries.repository import LibraryRepository
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.organizations.domain import Organization
from services.session.identity.organizations.repository import OrganizationRepository
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.states import Visibility
from shared.errors import Conflict
from shared.http.schema import Page
from shared.ids import new_id
from shared.persistence.mongo import Duplicate


class OrganizationService:
    def __init__(
        self,
        organizations: OrganizationRepository,
        libraries: LibraryRepository,
        users: UserRepository,
        clock: Clock,
    ):
        self._organizations = organizations
        self._libraries = libraries
        self._users = users
        self._clock = clock

    async def create(self, id: str, name: str) -> Organization:  # noqa: A002
        """Create an organization under the reserved `id`, and its default library."""
        now = self._clock.now()
        organization = Organization(
            id=id, name=name, default_library_id=new_id(), created_at=now, updated_at=now
        )
        try:
            await self._organizations.add(organization, [])
        except Duplicate:
            organization = await self._organizations.get(id)
        await self._add_default_library(organization)
        return organization

    async def _add_default_library(self, organization: Organization) -> None:
        library = Library(
            id=organization.default_library_id,
            organization_id=organization.id,
            name="Default",
            visibility=Visibility.PUBLIC,
            is_default=True,
            created_at=organization.created_at,
            updated_at=organization.created_at,
        )
        try:
            await self._libraries.add(library, library.created())
        except Duplicate:
            return

    async def get(self, id: str) -> Organization:  # noqa: A002
        return await self._organizations.get(id)

    async def list(self, page: Page) -> tuple[list[Organization], int]:
        return await self._organizations.list_page(page.skip, page.limit)

    async def rename(self, id: str, name: str | None) -> Organization:  # noqa: A002
        def decide(organization: Organization) -> list[Event]:
            if name is not None and name != organization.name:
                organization.name = name
                organization.updated_at = self._clock.now()
            return []

        return await self._organizations.change(id, decide)

    async def delete(self, id: str) -> None:  # noqa: A002
        """Delete an organization nobody belongs to any more."""
        await self._organizations.get(id)
        if await self._users.any_in(id):
            raise Conflict("The organization still has users", code="organization_in_use")
        await self._libraries.delete_of(id)
        await self._organizations.discard(id)
