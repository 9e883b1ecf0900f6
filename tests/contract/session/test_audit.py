"""The audit log: each call once, as it ended; found by who, what and when."""

from datetime import timedelta
from typing import Any

import pytest

from deploy.session_database import create_administrator
from services.session.audit.audit_filter import AuditFilter
from services.session.audit.repository import AuditRepository
from shared.contracts.audit_events import AdministratorActed
from shared.contracts.states import AuditedCallState, AuditOutcome
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from tests.contract.shared.databases import fresh_database
from tests.fakes.fake_clock import FakeClock
from tests.query_plans import Watched, WatchedMongo, explain, stages_of
from tests.replica import settings_of
from tests.running_stack import RunningStack


@pytest.fixture
async def audit(mongo: Mongo) -> AuditRepository:
    made = AuditRepository(mongo, timedelta(days=365))
    await made.ensure_indexes()
    return made


def call(clock: FakeClock, **given: Any) -> AuditedCallState:
    at = clock.advance(seconds=1)
    own: dict[str, Any] = {
        "id": new_id(),
        "version": 2,
        "at": at,
        "service": "session",
        "operation": "PATCH /admin/users/{id}",
        "actor": "user:ada",
        "outcome": AuditOutcome.DONE,
    }
    return AuditedCallState(**own | given)


async def found(audit: AuditRepository, **wanted: Any) -> list[AuditedCallState]:
    return (await audit.page_after(AuditFilter(**wanted), cursor=None, limit=10))[0]


async def test_the_newest_version_counts_in_any_order(audit: AuditRepository, clock: FakeClock) -> None:
    done = call(
        clock, fields={"is_admin": True, "name": "(not kept)", "age": None}, targets=["u-1"], status=200
    )
    begun = done.model_copy(update={"version": 1, "outcome": AuditOutcome.BEGUN, "status": None})
    for state in (begun, done, begun, done):
        await audit.store(state)
    assert await found(audit) == [done]
    late = call(clock)
    await audit.store(late)
    await audit.store(late.model_copy(update={"version": 1, "outcome": AuditOutcome.BEGUN}))
    assert await found(audit) == [late, done]


async def test_calls_are_found_by_what_they_are(audit: AuditRepository, clock: FakeClock) -> None:
    calls = [
        call(clock, actor="user:ben", targets=["u-1", "s-1"]),
        call(clock, operation="POST /admin/storage/cleanup", outcome=AuditOutcome.REFUSED),
        call(clock, targets=["s-1"]),
    ]
    for state in calls:
        await audit.store(state)
    first, second, third = calls
    assert await found(audit, actor="user:ben") == [first]
    assert await found(audit, operation="POST /admin/storage/cleanup") == [second]
    assert await found(audit, outcome=AuditOutcome.REFUSED) == [second]
    assert await found(audit, target="s-1") == [third, first]
    assert await found(audit, target="s-1", actor="user:ada") == [third]


async def test_pages_and_times(audit: AuditRepository, clock: FakeClock) -> None:
    calls = [call(clock) for _ in range(5)]
    for state in calls:
        await audit.store(state)
    page, cursor = await audit.page_after(AuditFilter(), cursor=None, limit=3)
    rest, end = await audit.page_after(AuditFilter(), cursor=cursor, limit=3)
    assert (page + rest, end) == (calls[::-1], None)


MATCHING: dict[str, Any] = {
    "actor": "key:k-1",
    "target": "s-1",
    "operation": "POST /admin/storage/cleanup",
    "outcome": AuditOutcome.FAILED,
}


@pytest.mark.parametrize("name", MATCHING)
async def test_each_filter_has_its_index(real_mongo: Mongo, clock: FakeClock, name: str) -> None:
    """Whatever else is in the log is not looked at."""
    audit = AuditRepository(WatchedMongo(real_mongo), timedelta(days=365))
    await audit.ensure_indexes()
    given = {"targets": ["s-1"]} if name == "target" else {name: MATCHING[name]}
    for state in [call(clock) for _ in range(20)] + [call(clock, **given) for _ in range(3)]:
        await audit.store(state)
    assert len(await found(audit, **{name: MATCHING[name]})) == 3
    assert isinstance(audit.collection, Watched)
    asked = audit.collection.asked[-1]
    plan = await explain(audit.collection, asked.query, sort=asked.sort, limit=asked.limit)
    assert plan["executionStats"]["totalDocsExamined"] <= 3
    assert "IXSCAN" in stages_of(plan["queryPlanner"]["winningPlan"])


async def test_it_is_kept_for_as_long_as_the_settings_say(real_mongo: Mongo) -> None:
    """Also if they say otherwise later."""
    for days in (365, 30):
        audit = AuditRepository(real_mongo, timedelta(days=days))
        await audit.ensure_indexes()
        kept = [index.expire_after_seconds for index in audit.indexes if index.expire_after_seconds]
        assert kept == [timedelta(days=days).total_seconds()]


async def test_the_command_that_makes_an_administrator_is_recorded_once(
    running_stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_database(running_stack.info.mongodb.session) as uri:
        own = settings_of(running_stack, "session") | {"GREENROOM_MONGODB_URI": uri}
        for name, value in own.items():
            monkeypatch.setenv(name, value)
        for _ in range(2):
            made = await create_administrator("root@example.com", "a password of some length")
        mongo = Mongo.from_uri(uri)
        [document] = await mongo.collection("audited_calls").find({})
        mongo.close()
    [event] = document["outbox"]
    recorded = AdministratorActed.model_validate_json(event["data"]).call
    assert (recorded.operation, recorded.targets) == ("greenroom admin create-administrator", [made.id])
    assert recorded.actor.startswith("command:")
    assert "root@example.com" not in event["data"]
