"""How often something may be had in a period, whoever asks for it and however many do at once."""

from datetime import datetime, timedelta

from shared.persistence.mongo import ASCENDING, Duplicate, Index, Mongo


class Quota:
    """`most` places for each key, each free again `period` after it was taken; kept in `collection`.

    A holder that asks again, at the same time or because what it wanted the place for failed, keeps the one
    it has. A place is a document of its own, and the database lets one caller alone insert it, or take it
    when it is free again. A number that is read and then compared would let pass whoever reads at the same
    time.
    """

    indexes = (Index([("free_at", ASCENDING)], expire_after_seconds=0),)

    def __init__(self, mongo: Mongo, collection: str, *, most: int, period: timedelta):
        self._collection = mongo.collection(collection)
        self._most = most
        self._period = period

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes(self.indexes)

    async def take(self, key: str, holder: str, now: datetime) -> bool:
        """Take a place for `holder`; False if others have all of them."""
        places = [f"{key}:{number}" for number in range(self._most)]
        held = {"_id": {"$in": places}, "holder": holder, "free_at": {"$gt": now}}
        if await self._collection.find_one(held) is not None:
            return True
        for place in places:
            if await self._take_one(place, holder, now):
                return True
        return False

    async def _take_one(self, place: str, holder: str, now: datetime) -> bool:
        taken = {"holder": holder, "free_at": now + self._period}
        try:
            await self._collection.insert({"_id": place, **taken})
        except Duplicate:
            free = {"_id": place, "free_at": {"$lte": now}}
            if await self._collection.find_and_update(free, {"$set": taken}) is None:
                # Its holder may be asking twice at once.
                return await self._collection.find_one({"_id": place, "holder": holder}) is not None
        return True
