"""Lists: pages, totals, order, and what may be asked for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.api.accounts import Person
from tests.contract.api.cases import CASES, Case, Scenes, cases, name
from tests.contract.api.client import Answer
from tests.contract.api.fixtures import World

LISTS = cases(lambda operation: "page" in operation.query)
MANY = 5


@dataclass(frozen=True)
class Population:
    """Where a list with exactly `ids` in it is, newest last, and who sees it."""

    path: str
    caller: Person | None
    ids: list[str]


Maker = Callable[[World], Awaitable[Population]]


async def _public_rooms(world: World) -> Population:
    library = await world.admin.library(world.organization)
    ids = [await world.room(library) for _ in range(MANY)]
    return Population(f"/libraries/{library}/rooms", None, ids)


async def _my_rooms(world: World) -> Population:
    host = await world.admin.host(world.organization)
    return Population("/rooms/my", host, [await world.room(by=host) for _ in range(MANY)])


async def _my_presets(world: World) -> Population:
    host = await world.admin.host(world.organization)
    return Population("/presets", host, [await world.preset(by=host) for _ in range(MANY)])


async def _sessions_of_a_room(world: World) -> Population:
    room, preset = await world.room(), await world.preset()
    ids = [await world.session(room=room, preset=preset) for _ in range(MANY)]
    return Population(f"/rooms/{room}/sessions", world.host, ids)


async def _public_sessions(world: World) -> Population:
    library = await world.admin.library(world.organization)
    ids = [await world.session(library) for _ in range(MANY)]
    return Population(f"/libraries/{library}/sessions", None, ids)


async def _live_sessions(world: World) -> Population:
    library = await world.admin.library(world.organization)
    await world.session(library)
    ids = [await world.live_session(library) for _ in range(MANY)]
    await world.ended_session(library)
    return Population(f"/libraries/{library}/sessions/live", None, ids)


POPULATIONS: dict[str, Maker] = {
    "GET /rooms": _public_rooms,
    "GET /rooms/my": _my_rooms,
    "GET /presets": _my_presets,
    "GET /rooms/{id}/sessions": _sessions_of_a_room,
    "GET /sessions": _public_sessions,
    "GET /sessions/live": _live_sessions,
}


async def page(world: World, of: Population, **query: Any) -> Answer:
    token = of.caller.access_token if of.caller else None
    return await world.client.call("GET", of.path, token, query=query)


def items(answer: Answer) -> list[str]:
    """The ids of the one list in the data."""
    return [item["id"] for item in next(value for value in answer.data.values() if isinstance(value, list))]


@pytest.mark.parametrize("key", POPULATIONS)
async def test_pages_are_disjoint_and_the_newest_comes_first(world: World, key: str) -> None:
    population = await POPULATIONS[key](world)
    seen: list[str] = []
    for number in (1, 2, 3):
        answer = await page(world, population, page=number, limit=2)
        data = answer.check_success(CASES[key].operation)
        assert (data["total"], data["page"], data["limit"]) == (MANY, number, 2)
        seen += items(answer)
    assert seen == population.ids[::-1]
    beyond = await page(world, population, page=4, limit=2)
    assert (items(beyond), beyond.data["total"], beyond.data["page"]) == ([], MANY, 4)
    default = await page(world, population)
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
    scenes: Scenes, case: Case, query: dict[str, Any], fields: list[str]
) -> None:
    scene = await scenes.of(case)
    answer = await scene.world.client.call("GET", scene.path, scene.token, query=query)
    answer.check_bad_fields(*fields)


@pytest.mark.parametrize("case", LISTS, ids=name)
async def test_a_hundred_items_are_the_most_and_unknown_parameters_are_ignored(
    scenes: Scenes, case: Case
) -> None:
    scene = await scenes.of(case)
    query = {"limit": 100, "colour": "blue"}
    answer = await scene.world.client.call("GET", scene.path, scene.token, query=query)
    answer.check_success(case.operation)
