"""Aggregates: what is saved is what is loaded, a change and its events are one write."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.contracts.event import Event
from shared.errors import Conflict, NotFound
from shared.persistence.mongo import Collection, Document, Duplicate, Mongo, Sort
from shared.persistence.outbox import Outbox
from tests.contract.shared.example_aggregate import AT, Colour, Part, Thing, Things, thing
from tests.fakes.fake_clock import FakeClock


class OvertakenMongo(Mongo):
    """Between every read of a document and the next write, somebody else writes it."""

    def __init__(self, mongo: Mongo):
        self._mongo = mongo

    def collection(self, name: str) -> Collection:
        return OvertakenCollection(self._mongo.collection(name))


class OvertakenCollection(Collection):
    def __init__(self, inner: Collection):
        super().__init__(inner._collection)

    async def find(
        self,
        query: Document,
        *,
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
        fields: Sequence[str] | None = None,
    ) -> list[Document]:
        found = await super().find(query, sort=sort, skip=skip, limit=limit, fields=fields)
        await self.update_many(query, {"$inc": {"version": 1}})
        return found


def take_slug(one: Thing) -> list[Event]:
    one.slug = "taken"
    return []


async def document(things: Things, id: str) -> dict[str, object]:
    found = await things.collection.find_one({"_id": id})
    assert found is not None
    return found


async def test_what_is_saved_is_what_is_loaded(things: Things) -> None:
    made = thing(
        name="Räume 🎉",
        colour=Colour.BLUE,
        part=Part(name="one", made_at=AT),
        parts={"a": Part(name="two")},
        tags=["x", "y"],
    )
    await things.add(made, [])
    assert await things.get(made.id) == made
    assert await things.find(made.id) == made
    assert await things.find_many([made.id, "no", made.id]) == {made.id: made}
    assert await things.find_many([]) == {}


async def test_what_does_not_exist_is_refused_by_its_noun(things: Things) -> None:
    assert await things.find("no") is None
    for attempt in (things.get("no"), things.change("no", Thing.told), things.remove("no", Thing.told)):
        with pytest.raises(NotFound) as refusal:
            await attempt
        assert refusal.value.code == "thing_not_found"


async def test_the_same_id_or_a_taken_value_is_a_duplicate(things: Things) -> None:
    first = thing(slug="taken")
    await things.add(first, [])
    for other in (first, thing(slug="taken")):
        with pytest.raises(Duplicate):
            await things.add(other, [])
    await things.add(thing(), [])
    await things.add(thing(), [])
    second = thing()
    await things.add(second, [])
    with pytest.raises(Duplicate):
        await things.change(second.id, take_slug)
    assert (await things.get(second.id)).slug is None


async def test_a_change_is_written_with_its_events(things: Things) -> None:
    made = thing()
    await things.add(made, made.told())
    changed = await things.change(made.id, lambda one: one.add(5))
    assert (changed.version, changed.count) == (2, 5)
    assert await things.get(made.id) == changed
    stored = await document(things, made.id)
    outbox = stored["outbox"]
    assert isinstance(outbox, list)
    assert [entry["name"] for entry in outbox] == ["viewers.counted.v1"] * 2
    assert ['"version":1' in outbox[0]["data"], '"version":2' in outbox[1]["data"]] == [True, True]
    assert len({entry["id"] for entry in outbox}) == 2


async def test_the_oldest_event_says_since_when_the_outbox_waits(things: Things) -> None:
    made = thing()
    await things.add(made, [])
    assert "outbox_at" not in await document(things, made.id)
    first = await things.change(made.id, Thing.told)
    since = (await document(things, made.id))["outbox_at"]
    await things.change(made.id, Thing.told)
    assert (await document(things, first.id))["outbox_at"] == since


async def test_what_changes_nothing_is_not_written(things: Things) -> None:
    made = thing()
    await things.add(made, [])
    same = await things.change(made.id, lambda _: [])
    assert (same, (await document(things, made.id))["version"]) == (made, 1)


async def test_values_go_and_come(things: Things) -> None:
    made = thing(name="one", part=Part(name="two"), tags=["x"])
    await things.add(made, [])

    def clear(one: Thing) -> list[Event]:
        one.name = one.part = None
        one.tags = []
        one.seen_at += timedelta(milliseconds=1)
        return []

    cleared = await things.change(made.id, clear)
    assert await things.get(made.id) == cleared
    stored = await document(things, made.id)
    assert "name" not in stored
    assert "part" not in stored


async def test_fields_that_are_not_the_aggregates_stay(things: Things) -> None:
    made = thing()
    await things.add(made, [])
    await things.collection.update({"_id": made.id}, {"$set": {"another": 7}})
    await things.change(made.id, lambda one: one.add(1))
    assert (await document(things, made.id))["another"] == 7


async def test_what_another_update_sets_meanwhile_stays(
    mongo: Mongo, outbox: Outbox, clock: FakeClock
) -> None:
    """Updates beside the version, as of a session's HLS path, on a field that was stored as null."""

    class Overtaken(Things):
        async def _write(self, before: Document, change: Document, events: Sequence[Event]) -> bool:
            await self.collection.update({"_id": before["_id"]}, {"$set": {"name": "set meanwhile"}})
            return await super()._write(before, change, events)

    things, made = Overtaken(mongo, outbox, clock), thing(name=None)
    await things.add(made, [])
    await things.collection.update({"_id": made.id}, {"$set": {"name": None}})
    await things.change(made.id, lambda one: one.add(1))
    after = await things.get(made.id)
    assert (after.name, after.count) == ("set meanwhile", 1)


async def test_a_refusal_changes_nothing(things: Things) -> None:
    made = thing()
    await things.add(made, [])

    def refuse(one: Thing) -> list[Event]:
        one.count = 99
        raise Conflict("no")

    with pytest.raises(Conflict):
        await things.change(made.id, refuse)
    assert await things.get(made.id) == made


async def test_no_concurrent_change_is_lost(things: Things) -> None:
    made = thing()
    await things.add(made, [])
    await asyncio.gather(*(things.change(made.id, lambda one: one.add(1)) for _ in range(8)))
    after = await things.get(made.id)
    assert (after.count, after.version) == (8, 9)
    outbox = (await document(things, made.id))["outbox"]
    assert isinstance(outbox, list)
    told = [f'"version":{version},"viewer_count":{version - 1}' for version in range(2, 10)]
    assert [text in entry["data"] for text, entry in zip(told, outbox, strict=True)] == [True] * 8


async def test_who_is_always_too_late_is_refused(mongo: Mongo, outbox: Outbox, clock: FakeClock) -> None:
    things, late = Things(mongo, outbox, clock), Things(OvertakenMongo(mongo), outbox, clock)
    made = thing()
    await things.add(made, [])
    with pytest.raises(Conflict) as refusal:
        await late.change(made.id, lambda one: one.add(1))
    assert refusal.value.code == "concurrent_change"
    assert (await things.get(made.id)).count == 0


async def test_what_is_removed_leaves_a_tombstone_with_its_events(things: Things) -> None:
    made = thing(slug="free again", tags=["x"])
    await things.add(made, made.told())
    gone = await things.remove(made.id, Thing.told)
    assert gone.version == 2
    assert await things.find(made.id) is None
    assert await things.find_many([made.id]) == {}
    assert await things.page({}, skip=0, limit=10) == ([], 0)
    stored = await document(things, made.id)
    assert stored.keys() == {"_id", "version", "tombstone", "outbox", "outbox_at"}
    assert len(stored["outbox"]) == 2  # type: ignore[arg-type]
    await things.add(thing(slug="free again"), [])
    with pytest.raises(NotFound):
        await things.remove(made.id, Thing.told)


async def test_pages_are_the_newest_first_with_the_number_of_all(things: Things) -> None:
    made = [thing(colour=Colour.BLUE if number % 2 else Colour.RED) for number in range(11)]
    for one in made:
        await things.add(one, [])
    newest = made[::-1]
    assert await things.page({}, skip=0, limit=4) == (newest[:4], 11)
    assert await things.page({}, skip=8, limit=4) == (newest[8:], 11)
    assert await things.page({}, skip=12, limit=4) == ([], 11)
    blue = [one for one in newest if one.colour is Colour.BLUE]
    assert await things.page({"colour": "blue"}, skip=2, limit=2) == (blue[2:4], 5)
    assert await things.page({"colour": "green"}, skip=0, limit=2) == ([], 0)
