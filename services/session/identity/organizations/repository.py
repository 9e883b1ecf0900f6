"""Where organizations are kept."""

from services.session.identity.organizations.domain import Organization
from shared.persistence.repository import Repository


class OrganizationRepository(Repository[Organization]):
    collection_name = "organizations"
    noun = "organization"
    entity = Organization

    async def list_page(self, skip: int, limit: int) -> tuple[list[Organization], int]:
        return await self.page({}, skip=skip, limit=limit)
