"""Lists: pages, filters, limits."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.gateway.hundred_ms.published_client import UNDEFINED, HundredMsClient, HundredMsError
from tests.integration.gateway.hundred_ms.test_calls import ANSWERS, NO_MORE, OURS
from tests.integration.gateway.native_services import NativeCall, NativeServices
from tests.unit.gateway.hundred_ms.fixtures import (
    CODE,
    RECORDING_ID,
    native_code,
    native_connection,
    native_recording,
)
from tests.unit.gateway.signalwire.fixtures import EARLIER, ROOM_ID, SESSION_ID, native_room, native_session

# What native lists are asked, and where it is in the answers.
LISTS = {
    "/sessions": ("GET /sessions/my", "sessions"),
    "/rooms": ("GET /rooms/my", "rooms"),
    "/recordings": ("GET /recordings/my", "recordings"),
    "/recording-assets": ("GET /recordings/my", "recordings"),
    "/live-streams": ("GET /streams/my", "streams"),
}
AN_ID = "60f26d32e64b3af3b9e5e3a1"  # gitleaks:allow - in their form


async def refusal(client: HundredMsClient, path: str, parameters: dict[str, Any]) -> tuple[int, Any]:
    with pytest.raises(HundredMsError) as caught:
        await client.get(path, parameters)
    return caught.value.status, caught.value.body


async def test_iteration_shows_each_session_once_while_others_are_created(
    services: NativeServices, client: HundredMsClient
) -> None:
    ids = [new_id() for _ in range(5000)]

    def list_sessions(asked: NativeCall) -> dict[str, Any]:
        before, limit = asked.query.get("cursor"), int(asked.query["limit"])
        shown = [one for one in reversed(ids) if before is None or one < before][: limit + 1]
        ids.append(new_id())
        page = [native_session(id=one, **OURS) for one in shown[:limit]]
        return {"sessions": page, "next_cursor": shown[limit - 1] if len(shown) > limit else None}

    def list_connections(asked: NativeCall) -> dict[str, Any]:
        of = asked.query.getall("session_id")
        return {"connections": {id: [native_connection(session_id=id)] for id in of}, "incomplete": []}

    services.answers = {"GET /sessions/my": list_sessions, "GET /connections": list_connections}
    known = list(ids)
    found = [session async for session in client.iterate("/sessions", {"limit": 100})]
    assert [session["id"] for session in found] == known[::-1]
    assert {peer["session_id"] for one in found for peer in one["peers"].values()} == set(known)
    # Two reads a page.
    assert len(services.calls) == 100


@pytest.mark.parametrize("path", LISTS)
async def test_a_page_says_what_it_is_followed_by(
    services: NativeServices, client: HundredMsClient, path: str
) -> None:
    operation, items = LISTS[path]
    native: Any = ANSWERS[operation]
    services.answers = ANSWERS | {operation: native | {"next_cursor": RECORDING_ID}}
    page = await client.get(path, {"limit": 100, "start": SESSION_ID})
    assert (page["limit"], page["last"], len(page["data"])) == (100, RECORDING_ID, len(native[items]))
    asked = services.calls[0].query
    assert (asked["limit"], asked["cursor"]) == ("100", SESSION_ID)
    # A key alone would see what is its colleagues'.
    assert ("own" in asked) == (path not in {"/sessions", "/rooms"})
    await client.get(path, {"limit": UNDEFINED, "start": ""})
    asked = next(call.query for call in services.calls[::-1] if f"GET {call.path}" == operation)
    assert (asked["limit"], "cursor" in asked) == ("10", False)


@pytest.mark.parametrize("path", [*LISTS, f"/room-codes/room/{ROOM_ID}"])
@pytest.mark.parametrize("limit", ["9", "101", "0", "-1", "ten", "1e1"])
async def test_a_limit_out_of_range_is_refused(
    services: NativeServices, client: HundredMsClient, path: str, limit: str
) -> None:
    status, body = await refusal(client, path, {"limit": limit})
    assert (status, body["code"], body["message"]) == (400, 400, "Invalid query parameter")
    assert body["details"][0].startswith("Invalid query parameter: limit ")
    assert services.calls == []


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/sessions", {"active": "perhaps"}),
        ("/sessions", {"after": "yesterday"}),
        ("/sessions", {"before": "2030-01-31T20:00:00"}),
        ("/sessions", {"start": AN_ID}),
        ("/rooms", {"enabled": "2"}),
        ("/recordings", {"status": "paused"}),
        (f"/recording-assets/{RECORDING_ID}/presigned-url", {"presign_duration": "0"}),
        (f"/recording-assets/{RECORDING_ID}/presigned-url", {"presign_duration": "604801"}),
    ],
)
async def test_a_parameter_that_cannot_be_is_refused(
    services: NativeServices, client: HundredMsClient, path: str, parameters: dict[str, Any]
) -> None:
    status, body = await refusal(client, path, parameters)
    assert (status, body["code"], body["message"]) == (400, 400, "Invalid query parameter")
    assert services.calls == []


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/sessions", {"room_id": AN_ID}),
        ("/rooms", {"template_id": AN_ID}),
        ("/recordings", {"room_id": AN_ID}),
        ("/recording-assets", {"session_id": "x"}),
        ("/recording-assets", {"status": "running"}),
        ("/live-streams", {"room_id": AN_ID}),
        ("/live-streams", {"status": "post_processing"}),
        (f"/room-codes/room/{ROOM_ID}", {"role": "nobody"}),
    ],
)
async def test_what_cannot_match_matches_nothing(
    services: NativeServices, client: HundredMsClient, path: str, parameters: dict[str, Any]
) -> None:
    assert await client.get(path, parameters) == {"limit": 10, "data": [], "last": ""}
    assert services.calls == []


@pytest.mark.parametrize(
    ("active", "statuses"),
    [({}, ["live", "ended"]), ({"active": True}, ["live"]), ({"active": False}, ["ended"])],
)
async def test_without_active_all_sessions_are_listed(
    services: NativeServices, client: HundredMsClient, active: dict[str, Any], statuses: list[str]
) -> None:
    services.answers = {"GET /sessions/my": {"sessions": [], **NO_MORE}}
    times = {"after": "2030-01-31T20:00:00.123Z", "before": "2030-02-01T20:00:00.456Z"}
    assert (await client.get("/sessions", {"room_id": ROOM_ID, **times, **active}))["data"] == []
    asked = services.calls[0].query
    assert asked.getall("status") == statuses
    assert asked["room_id"] == ROOM_ID
    assert asked["started_after"] == "2030-01-31T20:00:00.123000+00:00"
    assert asked["started_before"] == "2030-02-01T20:00:00.456000+00:00"
    # Nobody is asked about the peers of no sessions.
    assert len(services.calls) == 1


async def test_rooms_are_those_that_are_enabled_unless_others_are_asked_for(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = ANSWERS
    await client.get("/rooms", {"name": "standup"})
    await client.get("/rooms", {"enabled": False, "after": EARLIER})
    first, second = (call.query for call in services.calls)
    assert (first["enabled"], first["name"]) == ("true", "standup")
    assert (second["enabled"], second["created_after"]) == ("false", "2026-03-01T10:00:00+00:00")


async def test_running_recordings_are_told_apart(services: NativeServices, client: HundredMsClient) -> None:
    running = [native_recording(id=new_id(), status="recording", finished_at=None) for _ in range(25)]
    finishing = native_recording(id=new_id(), status="recording")
    services.answers = {"GET /recordings/my": {"recordings": [finishing, *running], **NO_MORE}}
    page = await client.get("/recordings", {"status": "running"})
    assert [one["id"] for one in page["data"]] == [one["id"] for one in running[:10]]
    assert page["last"] == running[9]["id"]
    assert services.calls[0].query["status"] == "recording"
    page = await client.get("/recordings", {"status": "post_processing"})
    assert ([one["id"] for one in page["data"]], page["last"]) == ([finishing["id"]], "")


async def test_assets_are_of_recordings_that_are_over(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = ANSWERS
    await client.get("/recording-assets", {"room_id": ROOM_ID, "session_id": SESSION_ID})
    await client.get("/recording-assets", {"status": "failed"})
    first, second = (call.query for call in services.calls)
    assert (first.getall("status"), first["room_id"], first["session_id"]) == (
        ["completed", "failed"],
        ROOM_ID,
        SESSION_ID,
    )
    assert second.getall("status") == ["failed"]


async def test_codes_begin_behind_the_last_one_seen(
    services: NativeServices, client: HundredMsClient
) -> None:
    codes = [native_code(code=code) for code in (CODE, "bbb-bbbb-bbb", "ccc-cccc-ccc")]
    services.answers = {
        f"GET /rooms/{ROOM_ID}": native_room(),
        f"GET /rooms/{ROOM_ID}/codes": {"codes": codes},
    }
    page = await client.get(f"/room-codes/room/{ROOM_ID}", {"start": CODE, "role": "guest", "enabled": True})
    assert [one["code"] for one in page["data"]] == ["bbb-bbbb-bbb", "ccc-cccc-ccc"]
    asked = services.calls[-1].query
    assert (asked["role"], asked["enabled"]) == ("guest", "true")


async def test_a_session_with_very_many_peers_has_them_all(
    services: NativeServices, client: HundredMsClient
) -> None:
    ids = [new_id() for _ in range(3)]

    def list_connections(asked: NativeCall) -> dict[str, Any]:
        later = "cursor" in asked.query
        shown = ids[2:] if later else ids[:2]
        return {
            "connections": [native_connection(id=id) for id in shown],
            "next_cursor": None if later else ids[1],
        }

    services.answers = ANSWERS | {
        "GET /connections": {"connections": {}, "incomplete": [SESSION_ID]},
        f"GET /sessions/{SESSION_ID}/connections": list_connections,
    }
    assert list((await client.get(f"/sessions/{SESSION_ID}"))["peers"]) == ids
