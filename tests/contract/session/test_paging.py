"""A host's sessions from a cursor: thousands of them, each once, while others are created."""

from collections.abc import Sequence

import pytest

from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from services.session.sessions.session_filter import SessionFilter
from shared.contracts.states import SessionStatus
from shared.persistence.mongo import ASCENDING, Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.fake_clock import FakeClock
from tests.query_plans import Watched, WatchedMongo, explain, stages_of
from tests.unit.session.builders import HOST, session

MANY, PAGE = 5_000, 1_000
LIVE, SCHEDULED, ENDED = SessionStatus.LIVE, SessionStatus.SCHEDULED, SessionStatus.ENDED


@pytest.fixture
async def sessions(real_mongo: Mongo, outbox: Outbox, clock: FakeClock) -> SessionRepository:
    """With the indexes that serve them, and no others: each costs with every session stored."""
    made = SessionRepository(WatchedMongo(real_mongo), outbox, clock)
    await made.collection.ensure_indexes(
        [index for index in made.indexes if index.fields[0] == ("host_id", ASCENDING)]
    )
    return made


async def store(sessions: SessionRepository, made: Sequence[Session]) -> list[str]:
    """Their ids, the newest first."""
    for start in range(0, len(made), 500):
        await sessions.add_many([(one, []) for one in made[start : start + 500]])
    return [one.id for one in reversed(made)]


async def check_the_last_read(sessions: SessionRepository, left: int) -> None:
    """It looked at a page and one more; a server that sorts by itself, at the `left` not shown yet."""
    assert isinstance(sessions.collection, Watched)
    read = sessions.collection.asked[-1]
    plan = await explain(sessions.collection, read.query, sort=read.sort, skip=read.skip, limit=read.limit)
    sorts = "SORT" in stages_of(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalDocsExamined"] <= (left if sorts else PAGE + 1)


async def test_each_of_thousands_is_shown_once_while_others_are_created(sessions: SessionRepository) -> None:
    ids = await store(sessions, [session() for _ in range(MANY)])
    seen: list[str] = []
    cursor, pages = None, 0
    while cursor is not None or not pages:
        page, following = await sessions.list_of_host(HOST, None, SessionFilter(), cursor=cursor, limit=PAGE)
        await check_the_last_read(sessions, MANY - len(seen))
        seen += [one.id for one in page]
        await store(sessions, [session() for _ in range(3)])
        cursor, pages = following, pages + 1
    assert seen == ids
    assert pages == MANY // PAGE


async def test_any_of_several_states_is_paged_as_one_list(sessions: SessionRepository) -> None:
    made = [session(status=status) for _ in range(7) for status in (LIVE, SCHEDULED, ENDED)]
    ids = await store(sessions, made)
    wanted = SessionFilter(status=[ENDED, LIVE])
    seen: list[str] = []
    cursor = None
    for _ in range(5):
        page, cursor = await sessions.list_of_host(HOST, None, wanted, cursor=cursor, limit=3)
        seen += [one.id for one in page]
    assert cursor is None
    scheduled = {one.id for one in made if one.status is SCHEDULED}
    assert seen == [id for id in ids if id not in scheduled]


async def test_a_session_that_ends_while_it_is_looked_for_is_shown_once(
    sessions: SessionRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id] = await store(sessions, [session(status=LIVE)])
    page_after = sessions.page_after

    async def and_then_it_ends(*arguments: object, **named: object) -> object:
        found = await page_after(*arguments, **named)  # type: ignore[arg-type]
        await sessions.collection.update({"_id": id}, {"$set": {"status": "ended"}})
        return found

    monkeypatch.setattr(sessions, "page_after", and_then_it_ends)
    wanted = SessionFilter(status=[ENDED, LIVE])
    page, cursor = await sessions.list_of_host(HOST, None, wanted, cursor=None, limit=3)
    assert ([(one.id, one.status) for one in page], cursor) == ([(id, ENDED)], None)
