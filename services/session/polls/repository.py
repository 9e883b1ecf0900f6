"""Where polls and votes are kept: one document per vote; results are counted from them.

Counting thousands of votes again for each vote would cost too much, so each process reads each vote once.
What makes that exact is the order in which they are stored: a process stores its votes batch by batch, the
next one after the last was acknowledged, and each vote names its writer and its batch. Whoever sees a batch
sees all of the writer's earlier ones, and reads on from there.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.session.polls.domain import Poll
from shared.ids import new_id
from shared.persistence.append_only import AppendOnlyCollection
from shared.persistence.batching import ReadBatcher
from shared.persistence.mongo import ASCENDING, DESCENDING, Collection, Document, Index, Mongo
from shared.persistence.outbox import Outbox
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


# Votes by option id; options without any are left out.
Counts = Mapping[str, int]

_INDEXES = (Index([("poll_id", ASCENDING), ("writer", ASCENDING), ("batch", ASCENDING)]),)
_INDEXES_OF_WRITERS = (Index([("poll_id", ASCENDING)]),)
# Polls to which a writer has introduced itself: it is another one afterwards.
_INTRODUCED = 1_000
# Polls and writers whose earlier votes are remembered.
_REMEMBERED = 10_000


class VoteRepository:
    """Votes are append-only; there is no counter that could disagree with them."""

    def __init__(self, mongo: Mongo, outbox: Outbox):
        self._writers = mongo.collection("poll_writers")
        self._votes = _BatchedVotes(mongo, outbox, self._writers)
        self.collection = self._votes.collection
        self._read: OrderedDict[tuple[str, str], _Read] = OrderedDict()
        # Whoever voted while a count was under way gets the next one, together with all others who wait.
        self._counts: ReadBatcher[Counts] = ReadBatcher(self._count, self.collection.name)

    async def ensure_indexes(self) -> None:
        await self._votes.ensure_indexes()
        await self._writers.ensure_indexes(_INDEXES_OF_WRITERS)

    async def add(self, call_id: str, poll: Poll, user_id: str, option_id: str, now: datetime) -> bool:
        """Store a vote with its event; False if the person already has."""
        vote: Document = {
            "_id": poll.vote_id(user_id, option_id),
            "call_id": call_id,
            "poll_id": poll.id,
            "option_id": option_id,
            "user_id": user_id,
            "voted_at": now,
        }
        return await self._votes.add(vote, poll.voted(user_id, option_id, now), now)

    async def was_made_by(self, call_id: str, poll: Poll, user_id: str, option_id: str) -> bool:
        """Whether this person's vote is the one that this call has stored."""
        query = {"_id": poll.vote_id(user_id, option_id), "call_id": call_id}
        return await self.collection.find_one(query, fields=["_id"]) is not None

    async def counts(self, poll_ids: Sequence[str]) -> dict[str, Counts]:
        """The votes of each poll that has any: all that were stored before this call."""
        return await self._counts.many(poll_ids)

    async def _count(self, poll_ids: Sequence[str]) -> dict[str, Counts]:
        wanted = {"$in": list(poll_ids)} if len(poll_ids) > 1 else poll_ids[0]
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for one in await self._writers.find({"poll_id": wanted}):
            found[one["poll_id"]] += await self._written(one["poll_id"], one["writer"])
        return dict(found)

    async def _written(self, poll_id: str, writer: str) -> Counter[str]:
        """What one process has stored for a poll."""
        read = self._read.get((poll_id, writer), _Read())
        votes = await self.collection.find(
            {"poll_id": poll_id, "writer": writer, "batch": {"$gte": read.batch}},
            fields=["option_id", "batch"],
        )
        if not votes:
            return Counter()
        # Of this one there may be more to come.
        last = max(vote["batch"] for vote in votes)
        before = read.before + Counter(vote["option_id"] for vote in votes if vote["batch"] < last)
        self._remember((poll_id, writer), _Read(last, before))
        return before + Counter(vote["option_id"] for vote in votes if vote["batch"] == last)

    def _remember(self, key: tuple[str, str], read: "_Read") -> None:
        self._read[key] = read
        self._read.move_to_end(key)
        if len(self._read) > _REMEMBERED:
            self._read.popitem(last=False)

    async def forget(self, poll_ids: Sequence[str]) -> None:
        """Delete the votes of these polls."""
        for poll_id in poll_ids:
            await self.collection.delete_many({"poll_id": poll_id})
            await self._writers.delete_many({"poll_id": poll_id})


@dataclass(frozen=True)
class _Read:
    """The newest batch that was seen of one writer's votes for a poll, and the votes in those before it."""

    batch: int = 0
    before: Counter[str] = field(default_factory=Counter)


class _BatchedVotes(AppendOnlyCollection):
    """Each vote is stored with its batch and its writer, which is registered with the poll before."""

    def __init__(self, mongo: Mongo, outbox: Outbox, writers: Collection):
        super().__init__(mongo, "poll_votes", outbox, _INDEXES)
        self._writers = writers
        self._begin()

    def _begin(self) -> None:
        self._writer = new_id()
        self._batch = 0
        self._introduced: set[str] = set()

    async def _insert(self, documents: Sequence[Document]) -> frozenset[int]:
        """Store a batch; `WriteBatcher` sends none before the one before is through."""
        if len(self._introduced) > _INTRODUCED:
            self._begin()
        self._batch += 1
        for document in documents:
            document.update(writer=self._writer, batch=self._batch)
        try:
            await self._introduce(document["poll_id"] for document in documents)
            return await super()._insert(documents)
        except BaseException:
            # It may be stored all the same, and late: no batch may come after it.
            self._begin()
            raise

    async def _introduce(self, poll_ids: Iterable[str]) -> None:
        new = set(poll_ids) - self._introduced
        await self._writers.insert_many(
            [{"_id": f"{poll}:{self._writer}", "poll_id": poll, "writer": self._writer} for poll in new]
        )
        self._introduced |= new
