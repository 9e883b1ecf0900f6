"""API keys and people that ended, kept while tokens of theirs may live. Sign-ins say it of themselves."""

from datetime import datetime

from shared.access.revocations import OTHERS_MATTER, Revoked
from shared.persistence.mongo import ASCENDING, Index, Mongo


class RevocationRepository:
    indexes = (
        Index([("at", ASCENDING)]),
        Index([("until", ASCENDING)], expire_after_seconds=0),
    )

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("revocations")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def add(self, id: str, now: datetime) -> None:
        """As of now; an earlier revocation is replaced."""
        times = {"at": now, "until": now + OTHERS_MATTER}
        await self.collection.update({"_id": id}, {"$set": times}, upsert=True)

    async def since(self, moment: datetime) -> list[Revoked]:
        documents = await self.collection.find({"at": {"$gte": moment}})
        return [Revoked(id=one["_id"], at=one["at"], until=one["until"]) for one in documents]
