"""The projected people: what a report shows of them beside their presence."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from services.attendance.batches import batches
from services.attendance.projections import save_newer
from shared.contracts.states import UserState
from shared.persistence.mongo import Mongo


@dataclass(frozen=True)
class Person:
    id: str
    username: str
    email: str | None
    is_guest: bool


class UserRepository:
    def __init__(self, mongo: Mongo):
        self._collection = mongo.collection("users")

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes([])

    async def save(self, user: UserState) -> None:
        """Store the state unless a version as new is there already."""
        document = user.model_dump(include={"version", "username", "email", "is_guest"})
        await save_newer(self._collection, {user.id: document})

    async def find_many(self, ids: Sequence[str]) -> dict[str, Person]:
        """Those of `ids` that are known, by id."""
        parts = [await self._collection.find({"_id": {"$in": part}}) for part in batches(ids)]
        return {
            document["_id"]: Person(
                document["_id"], document["username"], document["email"], document["is_guest"]
            )
            for document in chain.from_iterable(parts)
        }
