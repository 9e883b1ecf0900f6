"""Where polls are kept, and their votes: a document a vote, which is what is counted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.session.polls.domain import Poll
from shared.facts import Facts
from shared.gathered_reads import GatheredReads
from shared.mongo import ASCENDING, DESCENDING, Document, Index, Mongo
from shared.outbox import Outbox
from shared.repository import Repository

# Votes by option id; options without any are left out.
Counts = Mapping[str, int]


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


class VoteRepository:
    """Votes are facts; there is no counter beside them that could say something else."""

    indexes = (Index([("poll_id", ASCENDING), ("option_id", ASCENDING)]),)

    def __init__(self, mongo: Mongo, outbox: Outbox):
        self._votes = Facts(mongo, "poll_votes", outbox, self.indexes)
        self.collection = self._votes.collection
        # Whoever voted while a count was under way gets the next one, together with all others who wait.
        self._counts: GatheredReads[Counts] = GatheredReads(self._count)

    async def ensure_indexes(self) -> None:
        await self._votes.ensure_indexes()

    async def add(self, poll: Poll, user_id: str, option_id: str, now: datetime) -> bool:
        """Store a vote with its event; False where this person has voted so already."""
        vote: Document = {
            "_id": poll.vote_id(user_id, option_id),
            "poll_id": poll.id,
            "option_id": option_id,
            "user_id": user_id,
            "voted_at": now,
        }
        return await self._votes.add(vote, poll.voted(user_id, option_id, now), now)

    async def counts(self, poll_ids: Sequence[str]) -> dict[str, Counts]:
        """The votes of each poll that has any: all that were stored before this was asked."""
        return await self._counts.many(poll_ids)

    async def _count(self, poll_ids: Sequence[str]) -> dict[str, Counts]:
        wanted = {"$in": list(poll_ids)} if len(poll_ids) > 1 else poll_ids[0]
        counted = await self.collection.aggregate(
            [
                {"$match": {"poll_id": wanted}},
                {"$group": {"_id": {"poll": "$poll_id", "option": "$option_id"}, "votes": {"$sum": 1}}},
            ]
        )
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for one in counted:
            found[one["_id"]["poll"]][one["_id"]["option"]] = one["votes"]
        return dict(found)

    async def forget(self, poll_ids: Sequence[str]) -> None:
        """Delete the votes of these polls."""
        for poll_id in poll_ids:
            await self.collection.delete_many({"poll_id": poll_id})
