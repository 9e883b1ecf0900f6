"""Reminders on both databases: kept once, found in order, and found by an index."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.session.reminders.mails.domain import MailState, ReminderMail, reminder
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.schedule.domain import DueReminder, ReminderSchedule, ReminderType
from services.session.reminders.schedule.repository import ScheduleRepository
from services.session.reminders.subscriptions.domain import Subscription
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.ids import new_id
from shared.persistence.lease import TAKEOVER_AFTER, Lease, LeaseStore
from shared.persistence.mongo import ASCENDING, Collection, Document, Mongo
from shared.persistence.outbox import Outbox
from shared.persistence.quota import Quota
from tests.fakes.fake_clock import FakeClock
from tests.query_plans import explain
from tests.unit.session.builders import T0

MANY, LIMIT = 30, 4
ROOM = new_id()


def subscription(room_id: str = ROOM, *, active: bool = True) -> Subscription:
    user = new_id()
    return Subscription(
        room_id=room_id, user_id=user, recipient=user, email=None, active=active, created_at=T0
    )


def due(occasion: ReminderType = ReminderType.SOON) -> DueReminder:
    return DueReminder(occasion=occasion, revision=0, at=T0, until=T0 + timedelta(hours=1))


def mails(count: int, session_id: str) -> list[ReminderMail]:
    return [reminder(session_id, due(), subscription()) for _ in range(count)]


@pytest.fixture
async def kept(mongo: Mongo) -> MailRepository:
    made = MailRepository(mongo)
    await made.ensure_indexes()
    return made


@pytest.fixture
async def subscriptions(mongo: Mongo) -> SubscriptionRepository:
    made = SubscriptionRepository(mongo)
    await made.ensure_indexes()
    return made


async def test_so_many_places_are_taken_and_no_more_however_many_ask_at_once(mongo: Mongo) -> None:
    quota = Quota(mongo, "reminder_mail_quota", most=3, period=timedelta(days=1))
    await quota.ensure_indexes()
    one, two, three = new_id(), new_id(), new_id()
    # Far ahead, since the database removes places that are free again.
    now = datetime(2090, 1, 1, tzinfo=UTC)
    assert (await asyncio.gather(*(quota.take(three, "same mail", now) for _ in range(20)))) == [True] * 20
    assert (await asyncio.gather(*(quota.take(three, new_id(), now) for _ in range(20)))).count(True) == 2
    assert (await asyncio.gather(*(quota.take(one, new_id(), now) for _ in range(20)))).count(True) == 3
    assert await quota.take(two, new_id(), now)
    later = now + timedelta(hours=12)
    assert (await asyncio.gather(*(quota.take(two, new_id(), later) for _ in range(20)))).count(True) == 2
    day_over = now + timedelta(days=1)
    # Of the second all but the first were taken half a day later.
    assert (await asyncio.gather(*(quota.take(two, new_id(), day_over) for _ in range(20)))).count(True) == 1
    assert (await asyncio.gather(*(quota.take(one, new_id(), day_over) for _ in range(20)))).count(True) == 3


async def test_a_holder_that_asks_again_has_the_place_it_had_and_until_then(mongo: Mongo) -> None:
    quota = Quota(mongo, "reminder_mail_quota", most=2, period=timedelta(days=1))
    await quota.ensure_indexes()
    key, first, second = new_id(), new_id(), new_id()
    # Far ahead, since the database removes places that are free again.
    now = datetime(2090, 1, 1, tzinfo=UTC)
    noon, day_over = now + timedelta(hours=12), now + timedelta(days=1)
    assert await quota.take(key, first, now)
    assert await quota.take(key, second, noon)
    # The first place is free again; who has the second does not take it beside, nor keep theirs for longer.
    assert await quota.take(key, second, day_over)
    assert await quota.take(key, new_id(), day_over)
    assert not await quota.take(key, new_id(), day_over)
    assert await quota.take(key, new_id(), noon + timedelta(days=1))


async def test_a_mail_is_planned_once_and_claimed_once(kept: MailRepository) -> None:
    planned = mails(10, new_id())
    for part in (planned[:6], planned, planned):
        await kept.plan(part, T0)
    one = await kept.claim("one", 1, T0, 7)
    two = await kept.claim("two", 1, T0, 7)
    assert (len(one), len(two)) == (7, 3)
    assert {mail.id for mail in one + two} == {mail.id for mail in planned}
    assert await kept.claim("one", 1, T0, 7) == []


async def test_what_was_claimed_is_freed_or_settled_or_comes_again(kept: MailRepository) -> None:
    await kept.plan(mails(3, new_id()), T0)
    sent, later, lost = await kept.claim("one", 1, T0, 3)
    await kept.record_result(sent, MailState.SENT, T0)
    await kept.postpone(later, T0 + timedelta(minutes=1), "451 later")
    await kept.free(2, T0)
    assert [mail.id for mail in await kept.claim("two", 2, T0, 3)] == [lost.id]
    (again,) = await kept.claim("two", 2, T0 + timedelta(minutes=1), 3)
    assert (again.id, again.attempts) == (later.id, 1)


async def test_subscribers_come_in_pages_without_those_who_did_not_confirm(
    subscriptions: SubscriptionRepository,
) -> None:
    wanted = [subscription() for _ in range(7)]
    await subscriptions.add_many([*wanted, subscription(active=False), subscription(new_id())])
    await subscriptions.add_many(wanted)
    found: list[str] = []
    after = ""
    while page := await subscriptions.page(ROOM, after, 3):
        found += [one.id for one in page]
        after = page[-1].id
    assert found == sorted(one.id for one in wanted)


async def test_a_lease_is_one_holders(mongo: Mongo) -> None:
    store = LeaseStore(mongo)
    assert await store.take("work", "one", None)
    assert not await store.take("work", "two", None)
    seen = await store.find("work")
    assert await store.beat("work", "one", 1)
    assert not await store.take("work", "two", seen)
    assert await store.take("work", "two", await store.find("work"))
    assert not await store.beat("work", "one", 1)
    assert await store.beat("work", "two", 2)
    await store.release("work", "one", 1)
    assert (await store.find("work") or {})["holder"] == "two"


async def test_a_lease_stored_by_the_release_before_is_taken_over(mongo: Mongo) -> None:
    store, seconds = LeaseStore(mongo), 0.0
    await store.collection.insert({"_id": "work", "holder": "old", "until": datetime(2026, 1, 1, tzinfo=UTC)})
    lease = Lease(store, "work", "new", lambda: seconds)
    await lease.run_once()
    assert not lease.held
    seconds = TAKEOVER_AFTER
    await lease.run_once()
    assert (lease.held, lease.epoch) == (True, 1)
    assert await store.beat("work", "new", 1)


async def check_plan(collection: Collection, query: Document, sort: Sequence[tuple[str, int]]) -> None:
    """An index finds it, and nothing is read that does not match; SecantusDB reads all that does."""
    plan = await explain(collection, query, sort=sort or None, limit=LIMIT)
    winning, stages = plan["queryPlanner"]["winningPlan"], []
    while winning:
        stages.append(winning["stage"])
        winning = winning.get("inputStage")
    assert "IXSCAN" in stages
    assert plan["executionStats"]["totalDocsExamined"] <= len(await collection.find(query))


async def test_what_is_due_is_found_by_an_index(real_mongo: Mongo, outbox: Outbox, clock: FakeClock) -> None:
    schedules, kept = ScheduleRepository(real_mongo, outbox, clock), MailRepository(real_mongo)
    for store in (schedules, kept):
        await store.ensure_indexes()
    for number in range(MANY):
        at = T0 + timedelta(days=number)
        await schedules.add(
            ReminderSchedule(id=new_id(), room_id=ROOM, title="A show", due_at=at, created_at=T0), []
        )
        await kept.plan(mails(1, new_id()), at)
    order, by = [("due_at", ASCENDING)], {"due_at": {"$lte": T0 + timedelta(days=10)}}
    assert len(await schedules.list_due(T0 + timedelta(days=10), LIMIT)) == LIMIT
    await check_plan(schedules.collection, by, order)
    await check_plan(kept.collection, by, order)
    await check_plan(kept.collection, {"claim": {"$lte": 3}}, [])


async def test_subscribers_are_found_by_an_index(real_mongo: Mongo) -> None:
    subscriptions = SubscriptionRepository(real_mongo)
    await subscriptions.ensure_indexes()
    others = [subscription(new_id()) for _ in range(MANY)]
    await subscriptions.add_many([*(subscription() for _ in range(LIMIT)), *others])
    page: Document = {"room_id": ROOM, "active": True, "_id": {"$gt": ""}}
    await check_plan(subscriptions.collection, page, [("_id", ASCENDING)])
    of_one: Document = {"room_id": ROOM, "recipient": others[0].recipient}
    await check_plan(subscriptions.collection, of_one, [])
