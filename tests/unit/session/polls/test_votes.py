"""Votes are counted once each, also those of which nobody learnt whether they were stored."""

from collections.abc import Sequence

import pytest

from services.session.polls.domain import Poll
from services.session.polls.repository import VoteRepository
from shared.clock import Clock
from shared.errors import Unavailable
from shared.ids import new_id
from shared.persistence.append_only import AppendOnlyCollection
from shared.persistence.mongo import Document, Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.fake_clock import FakeClock
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.session.builders import T0, poll


def replica(mongo: Mongo, clock: Clock) -> VoteRepository:
    return VoteRepository(mongo, Outbox(MemoryBus(clock=clock), clock, source="/greenroom/session"))


async def cast(votes: VoteRepository, asked: Poll, many: int = 1, option: int = 0) -> None:
    for _ in range(many):
        assert await votes.add(new_id(), asked, new_id(), asked.options[option].id, T0)


async def counted(votes: VoteRepository, asked: Poll) -> list[int]:
    counts = (await votes.counts([asked.id])).get(asked.id, {})
    return [counts.get(option.id, 0) for option in asked.options]


async def test_every_replica_counts_what_others_stored() -> None:
    mongo, clock, asked, other = memory_mongo(), FakeClock(T0), poll(), poll()
    one, two = replica(mongo, clock), replica(mongo, clock)
    for round_ in range(1, 4):
        await cast(one, asked, many=2)
        await cast(two, asked, option=1)
        await cast(two, other)
        assert (await counted(one, asked))[:2] == (await counted(two, asked))[:2] == [2 * round_, round_]
    assert (await counted(replica(mongo, clock), asked))[:2] == [6, 3]
    assert await one.counts([new_id()]) == {}
    both = await one.counts([asked.id, other.id])
    assert {poll_id: sum(counts.values()) for poll_id, counts in both.items()} == {asked.id: 9, other.id: 3}


async def test_a_vote_that_is_stored_late_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its caller was told that the outcome is not known, and others voted and counted since."""
    mongo, clock, asked = memory_mongo(), FakeClock(T0), poll()
    votes, reader = replica(mongo, clock), replica(mongo, clock)
    await cast(votes, asked)
    late: list[Document] = []

    async def given_up(_: AppendOnlyCollection, documents: Sequence[Document]) -> frozenset[int]:
        late.extend(documents)
        raise Unavailable("The database is unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(AppendOnlyCollection, "_insert", given_up)
        with pytest.raises(Unavailable):
            await cast(votes, asked)
    await cast(votes, asked, many=2)
    assert (await counted(votes, asked))[0] == (await counted(reader, asked))[0] == 3
    await votes.collection.insert_many(late)
    assert (await counted(votes, asked))[0] == (await counted(reader, asked))[0] == 4


async def test_only_the_newest_batch_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    mongo, clock, asked = memory_mongo(), FakeClock(T0), poll()
    votes = replica(mongo, clock)
    await cast(votes, asked, many=20)
    assert (await counted(votes, asked))[0] == 20
    read: list[int] = []
    find = votes.collection.find

    async def noted(query: Document, fields: Sequence[str]) -> list[Document]:
        found = await find(query, fields=fields)
        read.append(len(found))
        return found

    monkeypatch.setattr(votes.collection, "find", noted)
    await cast(votes, asked)
    assert (await counted(votes, asked))[0] == 21
    assert read == [2]


async def test_forgotten_votes_are_gone_with_their_writers() -> None:
    mongo, clock, asked, kept = memory_mongo(), FakeClock(T0), poll(), poll()
    votes = replica(mongo, clock)
    await cast(votes, asked)
    await cast(votes, kept)
    await votes.forget([asked.id])
    assert await counted(votes, asked) == [0] * len(asked.options)
    assert (await counted(votes, kept))[0] == 1
    assert len(await mongo.collection("poll_writers").find({})) == 1
