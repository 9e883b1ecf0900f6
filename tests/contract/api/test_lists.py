"""Lists: pages, totals, order, and what may be asked for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.api.accounts import Person
from tests.contract.api.cases import CASES, Case, PreparedCalls, cases, name
from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures

LISTS = cases(lambda operation: "page" in operation.query)
# These take 1,000 at most, the others 100.
LONG = {"GET /rooms/my", "GET /recordings/my"}
MANY = 5


@dataclass(frozen=True)
class Population:
    """Where a list with exactly `ids` in it is, newest last, and who sees it."""

    path: str
    caller: Person | None
    ids: list[str]


Maker = Callable[[Fixtures], Awaitable[Population]]


async def _public_rooms(fixtures: Fixtures) -> Population:
    library = await fixtures.admin.library(fixtures.organization)
    ids = [await fixtures.room(library) for _ in range(MANY)]
    return Population(f"/libraries/{library}/rooms", None, ids)


async def _my_rooms(fixtures: Fixtures) -> Population:
    host = await fixtures.admin.host(fixtures.organization)
    return Population("/rooms/my", host, [await fixtures.room(by=host) for _ in range(MANY)])


async def _my_presets(fixtures: Fixtures) -> Population:
    host = await fixtures.admin.host(fixtures.organization)
    return Population("/presets", host, [await fixtures.preset(by=host) for _ in range(MANY)])


async def _sessions_of_a_room(fixtures: Fixtures) -> Population:
    room, preset = await fixtures.room(), await fixtures.preset()
    ids = [await fixtures.session(room=room, preset=preset) for _ in range(MANY)]
    return Population(f"/rooms/{room}/sessions", fixtures.host, ids)


async def _public_sessions(fixtures: Fixtures) -> Population:
    library = await fixtures.admin.library(fixtures.organization)
    ids = [await fixtures.session(library) for _ in range(MANY)]
    return Population(f"/libraries/{library}/sessions", None, ids)


async def _live_sessions(fixtures: Fixtures) -> Population:
    library = await fixtures.admin.library(fixtures.organization)
    await fixtures.session(library)
    ids = [await fixtures.live_session(library) for _ in range(MANY)]
    await fixtures.ended_session(library)
    return Population(f"/libraries/{library}/sessions/live", None, ids)


POPULATIONS: dict[str, Maker] = {
    "GET /rooms": _public_rooms,
    "GET /rooms/my": _my_rooms,
    "GET /presets": _my_presets,
    "GET /rooms/{id}/sessions": _sessions_of_a_room,
    "GET /sessions": _public_sessions,
    "GET /sessions/live": _live_sessions,
}


async def page(fixtures: Fixtures, of: Population, **query: Any) -> Answer:
    token = of.caller.access_token if of.caller else None
    return await fixtures.client.call("GET", of.path, token, query=query)


def items(answer: Answer) -> list[str]:
    """The ids of the one list in the data."""
    return [item["id"] for item in next(value for value in answer.data.values() if isinstance(value, list))]


@pytest.mark.parametrize("key", POPULATIONS)
async def test_pages_are_disjoint_and_the_newest_comes_first(fixtures: Fixtures, key: str) -> None:
    population = await POPULATIONS[key](fixtures)
    seen: list[str] = []
    for number in (1, 2, 3):
        answer = await page(fixtures, population, page=number, limit=2)
        data = answer.check_success(CASES[key].operation)
        assert (data["total"], data["page"], data["limit"]) == (MANY, number, 2)
        seen += items(answer)
    assert seen == population.ids[::-1]
    beyond = await page(fixtures, population, page=4, limit=2)
    assert (items(beyond), beyond.data["total"], beyond.data["page"]) == ([], MANY, 4)
    default = await page(fixtures, population)
    assert (default.data["page"], default.data["limit"]) == (1, 10)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"limit": 101}, ["limit"]),
        ({"limit": 0}, ["limit"]),
        ({"page": 0}, ["page"]),
        ({"page": -1}, ["page"]),
        ({"page": "two"}, ["page"]),
        ({"limit": "1.5"}, ["limit"]),
        ({"page": ""}, ["page"]),
        ({"page": 10**30}, ["page"]),
        ({"page": 0, "limit": 101}, ["limit", "page"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("case", LISTS, ids=name)
async def test_a_bad_page_is_refused(
    prepared_calls: PreparedCalls, case: Case, query: dict[str, Any], fields: list[str]
) -> None:
    prepared = await prepared_calls.of(case)
    if query.get("limit") == 101 and case.key in LONG:
        query = query | {"limit": 1001}
    answer = await prepared.fixtures.client.call("GET", prepared.path, prepared.token, query=query)
    answer.check_bad_fields(*fields)


@pytest.mark.parametrize("case", LISTS, ids=name)
async def test_a_hundred_items_are_the_most_and_unknown_parameters_are_ignored(
    prepared_calls: PreparedCalls, case: Case
) -> None:
    prepared = await prepared_calls.of(case)
    query = {"limit": 100, "colour": "blue"}
    answer = await prepared.fixtures.client.call("GET", prepared.path, prepared.token, query=query)
    answer.check_success(case.operation)
