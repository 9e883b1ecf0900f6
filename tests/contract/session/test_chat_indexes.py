"""What was said is read by an index: by offset and by cursor, forwards for the export, and in all."""

from collections.abc import Awaitable, Callable

import pytest

from services.session.chat.domain import EVERYBODY, ChatMessage, Recipient
from services.session.chat.repository import ChatRepository, History
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.fake_clock import FakeClock
from tests.query_plans import Asked, Watched, WatchedMongo, explain, stages_of

MANY, SKIP, LIMIT = 30, 3, 4
SESSION, ME, OTHER = new_id(), new_id(), new_id()
Reading = Callable[[ChatRepository], Awaitable[object]]

READINGS: dict[str, Reading] = {
    "the newest": lambda chat: page(chat, before=None, skip=0),
    "by offset": lambda chat: page(chat, before=None, skip=SKIP),
    "by cursor": lambda chat: page(chat, before=new_id(), skip=0),
    "by cursor and offset": lambda chat: page(chat, before=new_id(), skip=SKIP),
    "for the export": lambda chat: chat.after(SESSION, EVERYBODY, None, LIMIT),
    "for the rest of the export": lambda chat: chat.after(SESSION, EVERYBODY, new_id(), LIMIT),
}


async def page(chat: ChatRepository, before: str | None, skip: int) -> object:
    return await History(chat).page(SESSION, ME, before=before, skip=skip, limit=LIMIT)


def said(number: int, session: str = SESSION) -> ChatMessage:
    recipient = Recipient(id=ME if number % 3 else OTHER, username="Vera") if number % 2 else None
    return ChatMessage(
        id=new_id(),
        session_id=session,
        user_id=new_id(),
        username="Hanna",
        text="Hello",
        recipient=recipient,
        created_at=FakeClock().now(),
    )


async def reads_of(chat: ChatRepository, reading: Reading) -> list[Asked]:
    assert isinstance(chat.collection, Watched)
    chat.collection.asked.clear()
    await reading(chat)
    return list(chat.collection.asked)


@pytest.mark.parametrize("name", READINGS)
async def test_a_reading_has_an_index(
    mongo_in_memory: Mongo, outbox: Outbox, clock: FakeClock, name: str
) -> None:
    chat = ChatRepository(WatchedMongo(mongo_in_memory), outbox, clock)
    for read in await reads_of(chat, READINGS[name]):
        ((equal, in_order),) = [(index.fields[:2], index.fields[2:]) for index in chat.indexes]
        assert {field for field, _ in equal} == read.query.keys() - {"_id"}
        assert [field for field, _ in in_order] == [field for field, _ in read.sort]


@pytest.mark.parametrize("name", READINGS)
async def test_the_server_reads_no_more_than_it_must(
    real_mongo: Mongo, outbox: Outbox, clock: FakeClock, name: str
) -> None:
    chat = ChatRepository(WatchedMongo(real_mongo), outbox, clock)
    await chat.ensure_indexes()
    for number in range(MANY):
        await chat.add(said(number))
        await chat.add(said(number, session=new_id()))
    for read in await reads_of(chat, READINGS[name]):
        plan = await explain(chat.collection, read.query, sort=read.sort, skip=read.skip, limit=read.limit)
        stages = list(stages_of(plan["queryPlanner"]["winningPlan"]))
        assert "IXSCAN" in stages
        assert "COLLSCAN" not in stages
        # A server that sorts by itself what the index finds in order reads all that matches, and no other.
        matching = len(await chat.collection.find(read.query))
        most = read.skip + read.limit if "SORT" not in stages else matching
        assert plan["executionStats"]["totalDocsExamined"] <= most
        assert read.limit <= SKIP + LIMIT


async def test_both_ways_through_the_chat_are_the_same(
    mongo: Mongo, outbox: Outbox, clock: FakeClock
) -> None:
    chat = ChatRepository(mongo, outbox, clock)
    await chat.ensure_indexes()
    sent = [said(number) for number in range(MANY)]
    for message in sent:
        await chat.add(message)
    common = [message.id for message in sent if message.recipient is None]
    backwards = await chat.stream(SESSION, EVERYBODY, before=None, skip=0, limit=MANY)
    assert [message.id for message in backwards] == common[::-1]
    forwards = await chat.after(SESSION, EVERYBODY, None, LIMIT)
    forwards += await chat.after(SESSION, EVERYBODY, forwards[-1].id, MANY)
    assert [message.id for message in forwards] == common
