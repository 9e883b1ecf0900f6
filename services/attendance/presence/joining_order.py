"""What happened in a session in the order of joining, read piece by piece."""

from datetime import datetime
from typing import Final, TypeAlias

from shared.persistence.mongo import ASCENDING, Collection, Document, Sort

JOINING_ORDER: Final[Sort] = (("joined_at", ASCENDING), ("_id", ASCENDING))

# When one joined, and its id.
Position: TypeAlias = tuple[datetime, str]


async def find_in_joining_order(
    collection: Collection, query: Document, last: Position | None, limit: int
) -> list[Document]:
    """Those that match `query`, the ones behind `last` or the first ones; `limit` at most."""
    if last is None:
        return await collection.find(query, sort=JOINING_ORDER, limit=limit)
    # In two reads, each of which walks the index from where the last one ended.
    joined_at, id_ = last
    together: Document = {**query, "joined_at": joined_at, "_id": {"$gt": id_}}
    found = await collection.find(together, sort=JOINING_ORDER, limit=limit)
    if len(found) < limit:
        later: Document = {**query, "joined_at": {"$gt": joined_at}}
        found += await collection.find(later, sort=JOINING_ORDER, limit=limit - len(found))
    return found
