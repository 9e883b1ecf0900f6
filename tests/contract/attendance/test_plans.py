"""Every query is served by an index, on the real server."""

from typing import Any

import pytest

from services.attendance.attendances.repository import named
from shared.persistence.mongo import ASCENDING, Document, Mongo
from tests.query_plans import explain
from tests.unit.attendance.builders import at
from tests.unit.attendance.fixture import Replica

ORDER = [("joined_at", ASCENDING), ("_id", ASCENDING)]
OURS, OTHERS = 60, 200


def attendance(session_id: str, number: int) -> Document:
    return {
        "_id": f"{session_id}-{number:04}",
        "session_id": session_id,
        "user_id": f"u{number}",
        "joined_at": at(number),
        "open": number % 2 == 0,
        "counted": True,
        "active": True,
        "folded_name": f"name {number}",
    }


@pytest.fixture
async def filled(real_mongo: Mongo) -> Replica:
    """Two sessions: the one asked for, and a larger one that nobody should have to read."""
    replica = Replica(real_mongo)
    await replica.ensure_indexes()
    documents = [attendance("ours", n) for n in range(OURS)] + [
        attendance("theirs", n) for n in range(OTHERS)
    ]
    await replica.attendances.collection.insert_many(documents)
    presences = [{**one, "_id": f"PA-{one['_id']}"} for one in documents]
    await replica.presences.collection.insert_many(presences)
    return replica


def stages(plan: Any) -> list[str]:
    """The names of the winning plan's stages, outermost first."""
    if not isinstance(plan, dict):
        return []
    inner = [plan.get("inputStage"), *plan.get("inputStages", [])]
    return [plan["stage"], *(name for one in inner for name in stages(one))]


def sorts_in_memory(plan: Document) -> bool:
    return "SORT" in stages(plan["queryPlanner"]["winningPlan"])


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(named("ours", None), id="everyone"),
        pytest.param(named("ours", "name 1"), id="by name"),
    ],
)
async def test_a_page_of_attendances(filled: Replica, query: Document) -> None:
    skip, limit = 4, 5
    plan = await explain(filled.attendances.collection, query, sort=ORDER, skip=skip, limit=limit)
    if sorts_in_memory(plan):
        # SecantusDB never walks an index in a filtered query's order, and tells the plan of a single
        # filter only: there the session's own documents are read, and no other session's.
        if len(query) == 1:
            assert "IXSCAN" in stages(plan["queryPlanner"]["winningPlan"])
            assert plan["executionStats"]["totalDocsExamined"] <= OURS
        return
    assert "IXSCAN" in stages(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalDocsExamined"] <= skip + limit


async def test_those_who_are_there(filled: Replica) -> None:
    there: Document = {"session_id": "ours", "open": True, "counted": True, "active": True}
    order = [("joined_at", ASCENDING), ("user_id", ASCENDING)]
    plan = await explain(filled.presences.collection, there, sort=order, limit=10)
    assert "IXSCAN" in stages(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalDocsExamined"] <= (OURS // 2 if sorts_in_memory(plan) else 10)


@pytest.mark.parametrize(
    "query", [{"session_id": "ours"}, {"session_id": "ours", "user_id": {"$in": ["u1", "u2"]}}]
)
async def test_the_presences_of_a_session_and_of_people(filled: Replica, query: Document) -> None:
    plan = await explain(filled.presences.collection, query)
    assert "IXSCAN" in stages(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalDocsExamined"] == (2 if "user_id" in query else OURS)


async def test_the_marks_to_adopt(filled: Replica) -> None:
    await filled.queue.mark({"ours": {"u1"}})
    plan = await explain(
        filled.pending.collection, {"marked_at": {"$lt": at(0)}}, sort=[("marked_at", ASCENDING)]
    )
    assert "IXSCAN" in stages(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalDocsExamined"] == 0


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"session_id": "ours", "joined_at": {"$gt": at(OURS - 5)}}, id="later"),
        pytest.param({"session_id": "ours", "joined_at": at(7), "_id": {"$gt": "ours-"}}, id="together"),
    ],
)
async def test_a_page_of_an_export(filled: Replica, query: Document) -> None:
    plan = await explain(filled.attendances.collection, query, sort=ORDER, limit=10)
    assert "COLLSCAN" not in stages(plan["queryPlanner"]["winningPlan"])
    if not sorts_in_memory(plan):
        assert plan["executionStats"]["totalDocsExamined"] <= 10


@pytest.mark.parametrize(
    ("query", "most"),
    [
        pytest.param({"session_id": "ours"}, 10, id="first"),
        pytest.param({"session_id": "ours", "joined_at": {"$gt": at(OURS - 5)}}, 10, id="later"),
        pytest.param({"session_id": "ours", "joined_at": at(7)}, 1, id="the cursor"),
        pytest.param({"session_id": {"$in": ["ours", "nobody's"]}}, OURS, id="of several sessions"),
    ],
)
async def test_connections(filled: Replica, query: Document, most: int) -> None:
    """Without what is left out of these: few are not people's, and SecantusDB's plan tells of indexes only
    if these have all that is filtered by."""
    plan = await explain(filled.person_connections.collection, query, sort=ORDER, limit=10)
    assert "IXSCAN" in stages(plan["queryPlanner"]["winningPlan"])
    # Where the order of an index is not used, a session's own documents are read, and no other session's.
    assert plan["executionStats"]["totalDocsExamined"] <= (OURS if sorts_in_memory(plan) else most)
