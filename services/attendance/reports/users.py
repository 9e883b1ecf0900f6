"""The projected users: what a report shows of them beside their presence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.bus import Group, on
from shared.contracts.people_and_catalog_events import UserEvent, UserRegistered, UserUpdated
from shared.persistence.batching import ReadBatcher
from shared.persistence.mongo import Mongo, UpdateOne

GROUP: Final = "attendance.users"


@dataclass(frozen=True)
class ProjectedUser:
    id: str
    username: str
    email: str | None
    is_guest: bool


class ProjectedUsers:
    def __init__(self, mongo: Mongo):
        self._collection = mongo.collection("users")
        self._reads = ReadBatcher(self._read, "users")

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes([])

    async def follow(self, event: UserEvent) -> None:
        """Store the state unless a version as new is there already."""
        document = event.user.model_dump(include={"version", "username", "email", "is_guest"})
        older = {"_id": event.user.id, "version": {"$lt": event.user.version}}
        write = [UpdateOne(older, {"$set": document}, upsert=True)]
        # What is not newer is refused as a second insert. So may be a newer one that raced the first.
        if (await self._collection.bulk(write)).duplicates:
            await self._collection.bulk(write)

    async def find_many(self, ids: Sequence[str]) -> dict[str, ProjectedUser]:
        """Those of `ids` that are known, by id."""
        return await self._reads.many(ids)

    async def _read(self, ids: Sequence[str]) -> dict[str, ProjectedUser]:
        return {
            one["_id"]: ProjectedUser(one["_id"], one["username"], one["email"], one["is_guest"])
            for one in await self._collection.find({"_id": {"$in": list(ids)}})
        }


def user_group(users: ProjectedUsers) -> Group:
    """Users' events, in any order: each carries its whole state and version."""
    return Group(GROUP, dict([on(UserRegistered, users.follow), on(UserUpdated, users.follow)]))
