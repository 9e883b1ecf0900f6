"""Where people are kept."""

from services.session.identity.accounts.domain import User
from shared.persistence.mongo import ASCENDING, DESCENDING, Index
from shared.persistence.repository import Repository


class UserRepository(Repository[User]):
    collection_name = "users"
    noun = "user"
    entity = User
    indexes = (
        Index([("email", ASCENDING)], unique=True, sparse=True),
        Index([("device_hash", ASCENDING)], unique=True, sparse=True),
        Index([("device_id", ASCENDING)], sparse=True),
        Index([("external_key", ASCENDING)], unique=True, sparse=True),
        Index([("organization_id", ASCENDING), ("_id", DESCENDING)]),
    )

    async def find_by_email(self, email: str) -> User | None:
        return await self.find_where({"email": email.lower()})

    async def find_by_device(self, device_hash: str) -> User | None:
        return await self.find_where({"device_hash": device_hash})

    async def ids_of_device(self, device_id: str) -> frozenset[str]:
        """Everybody who registered from the device."""
        found = await self.collection.find({"device_id": device_id}, fields=["_id"])
        return frozenset(document["_id"] for document in found)

    async def find_external(self, key: str) -> User | None:
        return await self.find_where({"external_key": key})

    async def any_in(self, organization_id: str) -> bool:
        return bool(await self.collection.count({"organization_id": organization_id}, limit=1))
