"""Two replicas on one database, crashes included."""

import asyncio

from shared.contracts.session_events import SessionEnded
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from tests.unit.attendance.builders import at, connection, ended, joined, left, session
from tests.unit.attendance.fixture import Replica


async def pair(mongo: Mongo) -> tuple[Replica, Replica]:
    one = Replica(mongo, replica="one")
    two = Replica(mongo, replica="two", clock=one.clock)
    await one.ensure_indexes()
    return one, two


async def test_marks_of_a_replica_that_died_are_adopted(mongo: Mongo) -> None:
    dead, other = await pair(mongo)
    state, user = session(), new_id()
    await dead.go_live(state)
    await dead.handle([joined(state.id, connection(user, "PA_1", at(0)))])

    await other.queue.adopt(other_idle := 5 * (at(1) - at(0)))
    await other.worker.run_once()
    assert (await other.report(state.id)).total == 0
    other.clock.advance(seconds=6)
    await other.queue.adopt(other_idle)
    await other.worker.run_once()
    assert (await other.report(state.id)).total == 1
    assert await mongo.collection("marks").find({}) == []
    assert [one.viewer_count for one in await other.told()] == [1]


async def test_an_own_mark_that_waits_is_not_adopted_but_a_forgotten_one_is(mongo: Mongo) -> None:
    replica, _ = await pair(mongo)
    state = session()
    await replica.queue.mark({state.id: {"a"}})
    replica.clock.advance(seconds=6)
    await replica.queue.adopt(at(5) - at(0))
    (change,) = replica.queue.take()
    assert change.people == {"a"}
    await replica.queue.adopt(at(5) - at(0))
    replica.queue.release(change)
    assert replica.queue.take() == []
    await replica.queue.complete(change)
    assert await mongo.collection("marks").find({}) == []


async def test_a_change_during_the_recomputation_keeps_its_mark(mongo: Mongo) -> None:
    replica, _ = await pair(mongo)
    await replica.queue.mark({"s": {"a"}})
    (first,) = replica.queue.take()
    await replica.queue.mark({"s": {"b"}})
    assert replica.queue.take() == []
    await replica.queue.complete(first)
    replica.queue.release(first)
    assert len(await mongo.collection("marks").find({})) == 1
    (second,) = replica.queue.take()
    assert second.people == {"b"}
    await replica.queue.complete(second)
    assert await mongo.collection("marks").find({}) == []


async def test_older_facts_never_overwrite_newer_attendance(mongo: Mongo) -> None:
    """Both recompute everything again and again while facts come in; the end is exact."""
    one, two = await pair(mongo)
    state, users = session(), [new_id() for _ in range(12)]
    connections = [connection(user, f"PA_{n}", at(n)) for n, user in enumerate(users)]
    await one.go_live(state)

    async def come_and_go(replica: Replica, part: slice) -> None:
        for known in connections[part]:
            await replica.handle([joined(state.id, known)])
            await replica.handle([left(state.id, known, at(30))])

    async def recount(replica: Replica) -> None:
        for _ in range(12):
            await replica.queue.mark({state.id: None})
            await replica.worker.run_once()

    await asyncio.gather(
        come_and_go(one, slice(0, 6)), come_and_go(two, slice(6, 12)), recount(one), recount(two)
    )
    await one.worker.run_once()
    await two.worker.run_once()
    report = await one.report(state.id)
    assert [(row.left_at, row.join_count) for row in report.attendance] == [(at(30), 1)] * 12
    assert report.currently_watching == (await two.viewer_counts.seen(state.id)).viewer_count == 0

    await two.see(SessionEnded(session=ended(state, at(60))))
    audience = await one.viewer_counts.seen(state.id)
    assert (audience.viewer_count, audience.max_viewers) == (0, 12)
    assert await mongo.collection("marks").find({}) == []


async def test_a_conflict_is_recomputed_again(mongo: Mongo) -> None:
    one, two = await pair(mongo)
    state, user = session(), new_id()
    await one.see(joined(state.id, connection(user, "PA_1", at(5))))
    stale = list((await one.attendances.of_people(state.id, {user})).values())
    await two.see(joined(state.id, connection(user, "PA_2", at(3))))
    assert await one.attendances.save(stale) == {user}
    await one.attendances.remove(stale)
    (kept,) = (await one.attendances.of_people(state.id, None)).values()
    assert (kept.joined_at, kept.version) == (at(3), 2)
