"""What services do with collections, and what they are told when it cannot be done."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import Unavailable
from shared.persistence.mongo import (
    ASCENDING,
    DESCENDING,
    DeleteOne,
    Duplicate,
    Index,
    InsertOne,
    Mongo,
    UpdateOne,
)
from tests.metric_samples import changes, grows, sample


async def test_find_sorts_skips_limits_and_picks_fields(mongo: Mongo) -> None:
    collection = mongo.collection("numbers")
    await collection.insert_many([{"_id": number, "even": number % 2 == 0} for number in range(6)])
    found = await collection.find({"even": True}, sort=[("_id", DESCENDING)], skip=1, limit=2)
    assert [document["_id"] for document in found] == [2, 0]
    assert await collection.find({"_id": 3}, fields=["_id"]) == [{"_id": 3}]
    assert await collection.count({"even": False}, limit=2) == 2
    assert await collection.count({"even": False}, limit=10) == 3


async def test_of_many_writes_the_duplicates_alone_are_left_out(mongo: Mongo) -> None:
    collection = mongo.collection("bulk")
    await collection.ensure_indexes([Index([("key", ASCENDING)], unique=True, sparse=True)])
    first = await collection.insert_many([{"_id": 1, "key": "a"}, {"_id": 2, "key": "b"}])
    assert first.duplicates == frozenset()
    outcome = await collection.bulk(
        [
            InsertOne({"_id": 3, "key": "a"}),
            InsertOne({"_id": 1}),
            InsertOne({"_id": 4}),
            UpdateOne({"_id": 2}, {"$set": {"key": "c"}}),
            DeleteOne({"_id": 1}),
        ]
    )
    assert outcome.duplicates == {0, 1}
    assert sorted(document["_id"] for document in await collection.find({})) == [2, 4]
    assert await collection.find_one({"_id": 2}) == {"_id": 2, "key": "c"}
    assert (await collection.bulk([])).matched == 0


async def test_an_upsert_counts_as_one_and_finds_what_is_there(mongo: Mongo) -> None:
    collection = mongo.collection("upserts")
    assert await collection.update({"_id": 1}, {"$set": {"a": 1}}) == 0
    assert await collection.update({"_id": 1}, {"$set": {"a": 1}}, upsert=True) == 1
    assert await collection.find_and_update({"_id": 1}, {"$inc": {"a": 1}}) == {"_id": 1, "a": 2}
    assert await collection.find_and_update({"_id": 2}, {"$set": {"a": 1}}) is None
    assert await collection.find_and_delete({"_id": 1}) == {"_id": 1, "a": 2}
    assert await collection.find_and_delete({"_id": 1}) is None


async def test_of_those_who_take_one_thing_one_gets_it(mongo: Mongo) -> None:
    collection = mongo.collection("taking")
    await collection.insert({"_id": "one"})
    taken = await asyncio.gather(*(collection.find_and_delete({"_id": "one"}) for _ in range(5)))
    assert sum(document is not None for document in taken) == 1


async def test_a_duplicate_is_refused_and_nothing_stored(mongo: Mongo) -> None:
    collection = mongo.collection("unique")
    await collection.insert({"_id": 1, "a": 1})
    with pytest.raises(Duplicate):
        await collection.insert({"_id": 1, "a": 2})
    assert await collection.find({}) == [{"_id": 1, "a": 1}]


async def test_indexes_may_be_asked_for_again(mongo: Mongo) -> None:
    indexes = [Index([("a", ASCENDING)], sparse=True), Index([("at", ASCENDING)], expire_after_seconds=60)]
    for _ in range(2):
        await mongo.collection("indexed").ensure_indexes(indexes)


async def test_where_the_database_does_not_each_start_removes_what_has_expired(mongo: Mongo) -> None:
    index = Index([("at", ASCENDING)], expire_after_seconds=60)
    now = datetime.now(UTC)
    mongo.expiry = False
    collection = mongo.collection("expiring")
    await collection.insert({"_id": "old", "at": now - timedelta(seconds=61)})
    await collection.insert({"_id": "young", "at": now - timedelta(seconds=30)})
    await collection.insert({"_id": "never"})
    for _ in range(2):
        await collection.ensure_indexes([index])
    assert sorted(document["_id"] for document in await collection.find({})) == ["never", "young"]


async def test_what_expires_may_change(real_mongo: Mongo) -> None:
    for seconds, expiry in ((60, True), (60, False), (60, True), (120, True), (120, True)):
        real_mongo.expiry = expiry
        collection = real_mongo.collection("expiring")
        await collection.ensure_indexes([Index([("at", ASCENDING)], expire_after_seconds=seconds)])
        index = (await collection._collection.index_information())["at_1"]
        assert index.get("expireAfterSeconds") == (seconds if expiry else None)


async def test_the_journal_is_acknowledged(real_mongo: Mongo) -> None:
    await real_mongo.check_journal()
    await real_mongo.ping()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    mongo = Mongo.from_uri("mongodb://127.0.0.1:9/none", timeout=0.2)
    collection = mongo.collection("any")
    for attempt in (mongo.ping(), collection.find({}), collection.insert({}), mongo.check_journal()):
        with pytest.raises(Unavailable):
            await attempt
    mongo.close()


async def test_operations_are_measured(mongo: Mongo) -> None:
    collection, mine = mongo.collection("measured"), {"collection": "measured"}
    with (
        changes("greenroom_database_seconds_count", 2, operation="insert", **mine),
        grows("greenroom_database_seconds_count", operation="find", **mine),
        changes("greenroom_database_failures_total", 0, operation="insert", reason="refused", **mine),
    ):
        await collection.insert({"_id": 1})
        with pytest.raises(Duplicate):  # That is an answer, and no failure.
            await collection.insert({"_id": 1})
        await collection.find({})


async def test_failures_are_counted() -> None:
    nobody = Mongo.from_uri("mongodb://127.0.0.1:1/away", timeout=0.05)
    labels = {"collection": "measured", "operation": "update"}
    failed = grows("greenroom_database_failures_total", reason="unavailable", **labels)
    with failed, pytest.raises(Unavailable):
        await nobody.collection("measured").update({"_id": 1}, {"$set": {"a": 1}})
    assert sample("greenroom_database_seconds_sum", **labels) >= 0.05
    nobody.close()
