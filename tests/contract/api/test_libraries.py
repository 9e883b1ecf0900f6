"""Everything mirrored under /libraries/{library_id} is confined to that library."""

import asyncio

import pytest

from shared.ids import new_id
from tests.contract.api.cases import Case, PreparedCall, PreparedCalls, cases, name
from tests.contract.api.client import Answer
from tests.contract.api.contract import LIBRARY_PREFIX
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import UNKNOWN_ID

MIRRORED = cases(lambda operation: operation.mirrored)
# What names something: in the path, or in the body.
NAMING = [case for case in MIRRORED if case.operation.takes_id or "session_id" in case.operation.fields]
HOSTING = [case for case in MIRRORED if case.operation.access in {"host", "moderator"}]


async def call(prepared: PreparedCall, library: str, headers: dict[str, str] | None = None) -> Answer:
    path = LIBRARY_PREFIX.replace("{library_id}", library) + prepared.path
    client, method = prepared.fixtures.client, prepared.operation.method
    return await client.call(method, path, prepared.token, prepared.body or None, headers=headers)


@pytest.mark.parametrize("case", MIRRORED, ids=name)
async def test_in_its_own_library_it_is_done(fixtures: Fixtures, case: Case) -> None:
    prepared = await case.prepare(fixtures, fixtures.second_library)
    data = (await call(prepared, fixtures.second_library)).check_success(case.operation)
    made = data.get("room", data) if isinstance(data, dict) else {}
    assert made.get("library_id", fixtures.second_library) == fixtures.second_library


@pytest.mark.parametrize("case", NAMING, ids=name)
async def test_in_another_library_it_does_not_exist(prepared_calls: PreparedCalls, case: Case) -> None:
    prepared, fixtures = await prepared_calls.of(case), prepared_calls.fixtures
    for library in (fixtures.second_library, fixtures.unlisted_library, fixtures.foreign_library, new_id()):
        (await call(prepared, library)).check_refusal(404)


@pytest.mark.parametrize("case", HOSTING, ids=name)
async def test_nobody_hosts_in_a_foreign_library(prepared_calls: PreparedCalls, case: Case) -> None:
    prepared = await prepared_calls.of(case)
    (await call(prepared, prepared_calls.fixtures.foreign_library)).check_refusal(404)


@pytest.mark.parametrize("path", ["/rooms/my", "/sessions/stats"])
async def test_a_hosts_own_things_are_in_no_foreign_library(fixtures: Fixtures, path: str) -> None:
    token = fixtures.host.access_token
    answer = await fixtures.client.call("GET", f"/libraries/{fixtures.foreign_library}{path}", token)
    answer.check_refusal(404, "library_not_found")


@pytest.mark.parametrize("library", ["nope", "1", UNKNOWN_ID])
@pytest.mark.parametrize("case", MIRRORED, ids=name)
async def test_an_unknown_library_does_not_exist(
    prepared_calls: PreparedCalls, case: Case, library: str
) -> None:
    (await call(await prepared_calls.of(case), library)).check_refusal(404)


@pytest.mark.parametrize("listing", ["rooms", "sessions", "sessions/live"])
async def test_what_is_unlisted_is_in_no_public_list(fixtures: Fixtures, listing: str) -> None:
    room = await fixtures.room(fixtures.unlisted_library)
    session = await fixtures.live_session(fixtures.unlisted_library, room=room)
    hidden = {room, session}
    for path in (f"/{listing}", f"/libraries/{fixtures.unlisted_library}/{listing}"):
        for person in (None, fixtures.host, fixtures.viewer):
            token = person.access_token if person else None
            answer = await fixtures.client.call("GET", path, token, query={"limit": 100})
            if path.startswith("/libraries/") and person is not fixtures.host:
                answer.check_refusal(404, "library_not_found")
                continue
            listed = answer.data["rooms" if listing == "rooms" else "sessions"]
            assert not hidden & {item["id"] for item in listed}
    assert (await fixtures.get(f"/sessions/{session}"))["id"] == session


async def test_a_library_that_becomes_public_is_listed(fixtures: Fixtures) -> None:
    library = await fixtures.admin.library(fixtures.organization, "unlisted")
    room = await fixtures.room(library)
    session = await fixtures.session(library, room=room)
    await fixtures.admin.change("libraries", library, visibility="public")
    for noun, made in (("rooms", room), ("sessions", session)):
        listed = await fixtures.eventually(f"/libraries/{library}/{noun}", lambda data: data["total"] == 1)
        assert [item["id"] for item in listed[noun]] == [made]


async def test_without_a_library_things_are_made_in_the_default_one(fixtures: Fixtures) -> None:
    assert (await fixtures.get(f"/rooms/{await fixtures.room()}"))["library_id"] == fixtures.library


async def test_a_room_and_its_preset_are_of_one_library(fixtures: Fixtures) -> None:
    room, preset = await fixtures.room(fixtures.second_library), await fixtures.preset()
    answer = await fixtures.client.call(
        "POST",
        f"/libraries/{fixtures.second_library}/rooms/{room}/sessions",
        fixtures.host.access_token,
        {"title": "A session", "preset_id": preset},
    )
    answer.check_bad_fields("preset_id")


async def test_a_library_header_of_the_clients_own_is_ignored(prepared_calls: PreparedCalls) -> None:
    fixtures = prepared_calls.fixtures
    room = await fixtures.room()
    for library in (fixtures.second_library, fixtures.foreign_library, "nonsense"):
        headers = {"X-Greenroom-Library": library, "x-greenroom-anything": "x"}
        answer = await fixtures.client.call("GET", f"/rooms/{room}", headers=headers)
        assert answer.data["id"] == room
        own = f"/libraries/{fixtures.library}/rooms/{room}"
        assert (await fixtures.client.call("GET", own, headers=headers)).data["id"] == room


async def test_a_library_may_admit_registered_people_only(fixtures: Fixtures) -> None:
    library = await fixtures.admin.library(fixtures.organization)
    session = await fixtures.live_session(library)
    assert (await fixtures.do("join", session, fixtures.viewer)).data["livekit_token"]
    await fixtures.admin.change("libraries", library, registered_only=True)
    path, guest = f"/libraries/{library}/sessions/{session}/join", fixtures.viewer.access_token
    async with asyncio.timeout(10):
        while (answer := await fixtures.client.call("POST", path, guest)).status == 200:
            await asyncio.sleep(0.05)
    answer.check_refusal(403, "registration_required")
    assert (await fixtures.do("join", session)).data["livekit_token"]
