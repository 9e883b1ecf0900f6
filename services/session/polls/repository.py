"""Where polls are kept. Their votes are in `votes.py`."""

from services.session.polls.domain import Poll
from shared.persistence.mongo import ASCENDING, DESCENDING, Index
from shared.persistence.repository import Repository


class PollRepository(Repository[Poll]):
    collection_name = "polls"
    noun = "poll"
    entity = Poll
    indexes = (Index([("session_id", ASCENDING), ("_id", DESCENDING)]),)

    async def list_of_session(self, session_id: str, skip: int, limit: int) -> tuple[list[Poll], int]:
        return await self.page({"session_id": session_id}, skip=skip, limit=limit)

    async def forget_session(self, session_id: str) -> list[str]:
        """Delete the polls of a session; their ids."""
        query = {"session_id": session_id}
        ids = [document["_id"] for document in await self.collection.find(query, fields=["_id"])]
        await self.collection.delete_many(query)
        return ids
