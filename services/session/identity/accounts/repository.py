"""Where people are kept."""

from collections.abc import Set
from datetime import datetime, timedelta

from services.session.identity.accounts.domain import REGISTRATIONS_AN_HOUR, User
from shared.clock import Clock
from shared.persistence.mongo import ASCENDING, DESCENDING, Index, Mongo
from shared.persistence.outbox import Outbox
from shared.persistence.quota import Quota
from shared.persistence.repository import Repository


class UserRepository(Repository[User]):
    collection_name = "users"
    noun = "user"
    entity = User
    indexes = (
        Index([("email", ASCENDING)], unique=True, sparse=True),
        Index([("device_hash", ASCENDING)], unique=True, sparse=True),
        Index([("device_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("external_key", ASCENDING)], unique=True, sparse=True),
        Index([("organization_id", ASCENDING), ("_id", DESCENDING)]),
    )

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock):
        super().__init__(mongo, outbox, clock)
        self._registrations = Quota(
            mongo, "device_registrations", most=REGISTRATIONS_AN_HOUR, period=timedelta(hours=1)
        )

    async def ensure_indexes(self) -> None:
        await super().ensure_indexes()
        await self._registrations.ensure_indexes()

    async def find_by_email(self, email: str) -> User | None:
        return await self.find_where({"email": email.lower()})

    async def find_by_device(self, device_hash: str) -> User | None:
        return await self.find_where({"device_hash": device_hash})

    async def count_registration(self, device_id: str, user_id: str, now: datetime) -> bool:
        """Count a registration from the device, once; False if there were too many within an hour."""
        return await self._registrations.take(device_id, user_id, now)

    async def newest_of_device(self, device_id: str, *, most: int) -> list[str]:
        """The ids of those who registered from the device, the last first."""
        found = await self.collection.find(
            {"device_id": device_id}, sort=[("_id", DESCENDING)], limit=most, fields=["_id"]
        )
        return [document["_id"] for document in found]

    async def of_device_among(self, device_id: str, users: Set[str]) -> list[str]:
        """Which of these users registered from the device."""
        query = {"_id": {"$in": sorted(users)}, "device_id": device_id}
        return [document["_id"] for document in await self.collection.find(query, fields=["_id"])]

    async def count_newer_of_device(self, user: User, *, most: int) -> int:
        """How many registered from a person's device after them, counted up to `most`."""
        return await self.collection.count({"device_id": user.device, "_id": {"$gt": user.id}}, limit=most)

    async def find_external(self, key: str) -> User | None:
        return await self.find_where({"external_key": key})

    async def any_in(self, organization_id: str) -> bool:
        return bool(await self.collection.count({"organization_id": organization_id}, limit=1))
