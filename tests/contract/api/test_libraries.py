"""Everything mirrored under /libraries/{library_id} is confined to that library."""

import asyncio

import pytest

from shared.ids import new_id
from tests.contract.api.cases import Case, Scene, Scenes, cases, name
from tests.contract.api.client import Answer
from tests.contract.api.contract import LIBRARY_PREFIX
from tests.contract.api.fixtures import World
from tests.contract.api.sample_bodies import UNKNOWN_ID

MIRRORED = cases(lambda operation: operation.mirrored)
# What names something: in the path, or in the body.
NAMING = [case for case in MIRRORED if case.operation.takes_id or "session_id" in case.operation.fields]
HOSTING = [case for case in MIRRORED if case.operation.access in {"host", "moderator"}]


async def call(scene: Scene, library: str, headers: dict[str, str] | None = None) -> Answer:
    path = LIBRARY_PREFIX.replace("{library_id}", library) + scene.path
    client, method = scene.world.client, scene.operation.method
    return await client.call(method, path, scene.token, scene.body or None, headers=headers)


@pytest.mark.parametrize("case", MIRRORED, ids=name)
async def test_in_its_own_library_it_is_done(world: World, case: Case) -> None:
    scene = await case.scene(world, world.second_library)
    data = (await call(scene, world.second_library)).check_success(case.operation)
    made = data.get("room", data) if isinstance(data, dict) else {}
    assert made.get("library_id", world.second_library) == world.second_library


@pytest.mark.parametrize("case", NAMING, ids=name)
async def test_in_another_library_it_does_not_exist(scenes: Scenes, case: Case) -> None:
    scene, world = await scenes.of(case), scenes.world
    for library in (world.second_library, world.unlisted_library, world.foreign_library, new_id()):
        (await call(scene, library)).check_refusal(404)


@pytest.mark.parametrize("case", HOSTING, ids=name)
async def test_nobody_hosts_in_a_foreign_library(scenes: Scenes, case: Case) -> None:
    scene = await scenes.of(case)
    (await call(scene, scenes.world.foreign_library)).check_refusal(404)


@pytest.mark.parametrize("path", ["/rooms/my", "/sessions/stats"])
async def test_a_hosts_own_things_are_in_no_foreign_library(world: World, path: str) -> None:
    token = world.host.access_token
    answer = await world.client.call("GET", f"/libraries/{world.foreign_library}{path}", token)
    answer.check_refusal(404, "library_not_found")


@pytest.mark.parametrize("library", ["nope", "1", UNKNOWN_ID])
@pytest.mark.parametrize("case", MIRRORED, ids=name)
async def test_an_unknown_library_does_not_exist(scenes: Scenes, case: Case, library: str) -> None:
    (await call(await scenes.of(case), library)).check_refusal(404)


@pytest.mark.parametrize("listing", ["rooms", "sessions", "sessions/live"])
async def test_what_is_unlisted_is_in_no_public_list(world: World, listing: str) -> None:
    room = await world.room(world.unlisted_library)
    session = await world.live_session(world.unlisted_library, room=room)
    hidden = {room, session}
    for path in (f"/{listing}", f"/libraries/{world.unlisted_library}/{listing}"):
        for person in (None, world.host, world.viewer):
            token = person.access_token if person else None
            answer = await world.client.call("GET", path, token, query={"limit": 100})
            listed = answer.data["rooms" if listing == "rooms" else "sessions"]
            assert not hidden & {item["id"] for item in listed}
    assert (await world.get(f"/sessions/{session}"))["id"] == session


async def test_a_library_that_becomes_public_is_listed(world: World) -> None:
    library = await world.admin.library(world.organization, "unlisted")
    room = await world.room(library)
    session = await world.session(library, room=room)
    await world.admin.change("libraries", library, visibility="public")
    for noun, made in (("rooms", room), ("sessions", session)):
        listed = await world.eventually(f"/libraries/{library}/{noun}", lambda data: data["total"] == 1)
        assert [item["id"] for item in listed[noun]] == [made]


async def test_without_a_library_things_are_made_in_the_default_one(world: World) -> None:
    assert (await world.get(f"/rooms/{await world.room()}"))["library_id"] == world.library


async def test_a_room_and_its_preset_are_of_one_library(world: World) -> None:
    room, preset = await world.room(world.second_library), await world.preset()
    answer = await world.client.call(
        "POST",
        f"/libraries/{world.second_library}/rooms/{room}/sessions",
        world.host.access_token,
        {"title": "A session", "preset_id": preset},
    )
    answer.check_bad_fields("preset_id")


async def test_a_library_header_of_the_clients_own_is_ignored(scenes: Scenes) -> None:
    world = scenes.world
    room = await world.room()
    for library in (world.second_library, world.foreign_library, "nonsense"):
        headers = {"X-Greenroom-Library": library, "x-greenroom-anything": "x"}
        answer = await world.client.call("GET", f"/rooms/{room}", headers=headers)
        assert answer.data["id"] == room
        own = f"/libraries/{world.library}/rooms/{room}"
        assert (await world.client.call("GET", own, headers=headers)).data["id"] == room


async def test_a_library_may_admit_registered_people_only(world: World) -> None:
    library = await world.admin.library(world.organization)
    session = await world.live_session(library)
    assert (await world.do("join", session, world.viewer)).data["livekit_token"]
    await world.admin.change("libraries", library, registered_only=True)
    path, guest = f"/libraries/{library}/sessions/{session}/join", world.viewer.access_token
    async with asyncio.timeout(10):
        while (answer := await world.client.call("POST", path, guest)).status == 200:
            await asyncio.sleep(0.05)
    answer.check_refusal(403, "registration_required")
    assert (await world.do("join", session)).data["livekit_token"]
