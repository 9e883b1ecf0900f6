"""What administrators do with organizations."""

from datetime import datetime
from typing import Protocol

from services.session.identity.organizations.repository import Organization, OrganizationRepository
from shared.clock import Clock
from shared.contracts.event import Event
from shared.errors import Conflict
from shared.http.schema import Page
from shared.ids import new_id
from shared.persistence.mongo import Duplicate


class DefaultLibraries(Protocol):
    async def add_default(self, id: str, organization_id: str, now: datetime) -> None:
        """Make the library that an organization starts with; again changes nothing."""
        ...

    async def delete_of(self, organization_id: str) -> None: ...


class Members(Protocol):
    async def any_in(self, organization_id: str) -> bool: ...


class OrganizationService:
    def __init__(
        self,
        organizations: OrganizationRepository,
        libraries: DefaultLibraries,
        users: Members,
        clock: Clock,
    ):
        self._organizations = organizations
        self._libraries = libraries
        self._users = users
        self._clock = clock

    async def create(self, id: str, name: str) -> Organization:
        """Create an organization under the reserved `id`, and its default library."""
        now = self._clock.now()
        organization = Organization(
            id=id, name=name, default_library_id=new_id(), created_at=now, updated_at=now
        )
        try:
            await self._organizations.add(organization, [])
        except Duplicate:
            organization = await self._organizations.get(id)
        await self._libraries.add_default(
            organization.default_library_id, organization.id, organization.created_at
        )
        return organization

    async def get(self, id: str) -> Organization:
        return await self._organizations.get(id)

    async def list(self, page: Page) -> tuple[list[Organization], int]:
        return await self._organizations.page({}, skip=page.skip, limit=page.limit)

    async def rename(self, id: str, name: str | None) -> Organization:
        def decide(organization: Organization) -> list[Event]:
            if name is not None and name != organization.name:
                organization.name = name
                organization.updated_at = self._clock.now()
            return []

        return await self._organizations.change(id, decide)

    async def delete(self, id: str) -> None:
        """Delete an organization that nobody belongs to."""
        await self._organizations.get(id)
        if await self._users.any_in(id):
            raise Conflict("The organization still has users", code="organization_in_use")
        await self._libraries.delete_of(id)
        await self._organizations.discard(id)
