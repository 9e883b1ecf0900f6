"""Which replica has yet to recompute which session, stored so that a crash forgets nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.persistence.mongo import ASCENDING, DeleteOne, Index, Mongo, UpdateOne


@dataclass(frozen=True)
class PendingSession:
    """`seq` counts the replica's requests: clearing an earlier one leaves a later one."""

    id: str
    session_id: str
    replica: str
    seq: int


class PendingSessionRepository:
    indexes = (Index([("marked_at", ASCENDING)]),)

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("marks")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def put(self, pending: list[PendingSession], now: datetime) -> None:
        writes = [
            UpdateOne(
                {"_id": one.id},
                {
                    "$setOnInsert": {"session_id": one.session_id, "replica": one.replica},
                    "$max": {"seq": one.seq, "marked_at": now},
                },
                upsert=True,
            )
            for one in pending
        ]
        # Two first ones of the same session may race; the loser then finds the winner's.
        while refused := (await self.collection.bulk(writes)).duplicates:
            writes = [writes[position] for position in refused]

    async def clear(self, seen: Mapping[str, int]) -> None:
        """Remove those, by id, that are no newer than the given `seq`."""
        await self.collection.bulk(
            [DeleteOne({"_id": id_, "seq": {"$lte": seq}}) for id_, seq in seen.items()]
        )

    async def older_than(self, moment: datetime, *, limit: int) -> list[PendingSession]:
        documents = await self.collection.find(
            {"marked_at": {"$lt": moment}}, sort=[("marked_at", ASCENDING)], limit=limit
        )
        return [
            PendingSession(one["_id"], one["session_id"], one["replica"], one["seq"]) for one in documents
        ]
