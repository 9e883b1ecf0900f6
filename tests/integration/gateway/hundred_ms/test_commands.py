"""What changes something, and what is refused."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.gateway.hundred_ms.published_client import (
    HundredMsClient,
    HundredMsError,
    management_token,
)
from tests.integration.gateway.hundred_ms.test_calls import ANSWERS, IN_ROOM, NO_MORE, OURS, ROOM
from tests.integration.gateway.native_services import NativeServices
from tests.unit.gateway.hundred_ms.fixtures import (
    ADA,
    BEN,
    CODE,
    RECORDING_ID,
    native_code,
    native_participant,
    native_recording,
    native_stream,
)
from tests.unit.gateway.signalwire.fixtures import ROOM_ID, SESSION_ID, native_room, native_session

ACTIVE = f"/active-rooms/{ROOM_ID}"
NO_ROOMS: dict[str, Any] = {"rooms": [], **NO_MORE}


UPLOAD = {"type": "s3", "location": "bucket"}


async def refused(client: HundredMsClient, path: str, body: dict[str, Any] | None = None) -> HundredMsError:
    """A post is, or a get without a body."""
    with pytest.raises(HundredMsError) as caught:
        await (client.get(path) if body is None else client.post(path, body))
    assert caught.value.status == caught.value.body["code"]
    assert set(caught.value.body) == {"code", "message", "details"}
    return caught.value


async def test_a_room_of_this_name_is_changed_instead_of_a_second_one_made(
    services: NativeServices, client: HundredMsClient
) -> None:
    there = native_room(name="Standup", preset_id=None, **OURS)
    services.answers = {
        "POST /rooms": (409, "room_name_taken"),
        "GET /rooms/my": {"rooms": [there], **NO_MORE},
        f"PATCH /rooms/{ROOM_ID}": there | {"description": "new"},
    }
    made = await client.post("/rooms", {"name": "STANDUP", "description": "new"})
    assert (made["id"], made["description"]) == (ROOM_ID, "new")
    assert services.calls[1].query["name"] == "STANDUP"
    assert services.calls[2].body == {"name": "STANDUP", "title": "STANDUP", "description": "new"}


async def test_a_name_that_a_colleague_s_room_has_is_refused(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = {"POST /rooms": (409, "room_name_taken"), "GET /rooms/my": NO_ROOMS}
    error = await refused(client, "/rooms", {"name": "standup"})
    assert (error.status, error.body["message"]) == (400, "Invalid body param")


async def test_a_room_without_a_name_gets_one(services: NativeServices, client: HundredMsClient) -> None:
    services.answers = {"POST /rooms": {"room": ROOM}}
    await client.post("/rooms")
    await client.post("/rooms")
    first, second = (call.body["name"] for call in services.calls)
    assert first != second
    assert len(first) == 36


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"name": "a b"}, "name String should match"),
        ({"name": "é"}, "name String should match"),
        ({"region": "mars"}, "region Input should be 'eu', 'in', 'us' or 'auto'"),
        ({"size": 20_001, "large_room": True}, "room size greater than 20000"),
        ({"size": 2501}, "room size greater than 2500"),
        ({"size": -1}, "size Input should be greater than or equal to 0"),
        ({"max_duration_seconds": 119}, "max_duration_seconds Input should be greater than or equal to 120"),
        ({"max_duration_seconds": 43_201}, "max_duration_seconds Input should be less than"),
        ({"template": "old"}, "template used"),
        ({"template_id": "60f26d32e64b3af3b9e5e3a1"}, "template_id must be a UUID"),
        ({"recording_info": {"upload_info": {"type": "s3"}}}, "recording_info.upload_info.location Field"),
        ({"recording_info": {"upload_info": {"type": "ftp", "location": "x"}}}, "recording_info.upload_info"),
        ({"recording_info": {"upload_info": UPLOAD | {"options": {"region": 7}}}}, "recording_info.upload"),
        ({"webhook": {"headers": {}}}, "webhook.url Field required"),
        ({"polls": ["x" * 101]}, "polls.0 String should have at most 100 characters"),
        ({"polls": ["x"] * 101}, "polls List should have at most 100 items"),
        ({"enabled": "yes"}, "enabled Input should be a valid boolean"),
    ],
)
async def test_a_room_s_bad_settings_are_refused(
    services: NativeServices, client: HundredMsClient, body: dict[str, Any], detail: str
) -> None:
    error = await refused(client, "/rooms", body)
    assert (error.status, error.body["message"]) == (400, "Invalid body param")
    assert error.body["details"][0].startswith(f"Invalid body param: {detail}")
    assert services.calls == []


@pytest.mark.parametrize(
    ("field", "detail"), [("preset_id", "template not found"), ("description", "description is bad")]
)
async def test_what_a_service_complains_about_is_refused_in_published_words(
    services: NativeServices, client: HundredMsClient, field: str, detail: str
) -> None:
    services.answers = ANSWERS | {
        "POST /rooms": (422, "validation_failed", [field]),
        f"PATCH /rooms/{ROOM_ID}": (422, "validation_failed", [field]),
    }
    for path in ("/rooms", f"/rooms/{ROOM_ID}"):
        error = await refused(client, path, {"template_id": new_id()})
        assert (error.status, error.body["details"]) == (400, [f"Invalid body param: {detail}"])


async def test_a_room_that_is_ended_and_locked_is_locked_first(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = ANSWERS
    await client.post(f"{ACTIVE}/end-room", {"lock": True, "reason": "over"})
    assert services.asked[1:] == [f"PATCH /rooms/{ROOM_ID}", f"POST /sessions/{SESSION_ID}/end"]
    assert services.calls[1].body == {"enabled": False}


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({}, [ADA, BEN]),
        ({"user_id": "ada-7"}, [ADA]),
        ({"role": "guest"}, [BEN]),
        ({"role": "host", "user_id": "ada-7"}, [ADA]),
        ({"role": "guest", "user_id": "ada-7"}, []),
        ({"role": "nobody"}, []),
    ],
)
async def test_peers_are_filtered(
    services: NativeServices, client: HundredMsClient, filters: dict[str, str], shown: list[str]
) -> None:
    ben = native_participant(id=BEN, role="stage", external_user_id=None)
    participants = {"participants": [native_participant(role="co_host"), ben]}
    services.answers = ANSWERS | {f"GET {IN_ROOM}/participants": participants}
    assert list((await client.get(f"{ACTIVE}/peers", filters))["peers"]) == shown


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({}, [{}]),
        ({"peer_id": ADA, "role": "guest"}, [{"connection_id": ADA}]),
        # As the published client writes it.
        ({"peerId": ADA}, [{"connection_id": ADA}]),
        ({"role": "guest", "peer_id": ""}, [{"role": "stage"}]),
        ({"role": "host"}, [{"role": "co_host"}, {"role": "host"}]),
        ({"role": "", "peer_id": "", "type": "chat"}, [{"type": "chat"}]),
    ],
)
async def test_a_message_goes_to_a_peer_a_role_or_everybody(
    services: NativeServices, client: HundredMsClient, body: dict[str, str], asked: list[dict[str, str]]
) -> None:
    services.answers = ANSWERS
    await client.post(f"{ACTIVE}/send-message", {"message": "Hello", **body})
    sent = sorted((call.body for call in services.calls[1:]), key=str)
    assert sent == sorted(({"message": "Hello", **one} for one in asked), key=str)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"peer_id": ADA, "role": "guest"}, [f"DELETE {IN_ROOM}/participants/{ADA} None"]),
        ({"role": "guest", "peer_id": ""}, [f"DELETE {IN_ROOM}/participants stage"]),
        (
            {"role": "host"},
            [f"DELETE {IN_ROOM}/participants co_host", f"DELETE {IN_ROOM}/participants host"],
        ),
    ],
)
async def test_a_peer_or_all_of_a_role_are_removed(
    services: NativeServices, client: HundredMsClient, body: dict[str, str], asked: list[str]
) -> None:
    services.answers = ANSWERS
    await client.post(f"{ACTIVE}/remove-peers", {"reason": "late", **body})
    removals = services.calls[1:]
    assert sorted(f"{one.method} {one.path} {one.query.get('role')}" for one in removals) == asked
    assert {one.query["reason"] for one in removals} == {"late"}


async def test_a_peer_s_new_role_is_one_of_ours(services: NativeServices, client: HundredMsClient) -> None:
    services.answers = ANSWERS
    await client.post(f"{ACTIVE}/peers/{ADA}", {"role": "guest", "metadata": "{}"})
    await client.post(f"{ACTIVE}/peers/{ADA}", {"role": "host", "name": "Eve"})
    assert [call.body for call in services.calls if call.method == "PATCH"] == [
        {"role": "stage", "metadata": "{}"},
        {"role": "co_host", "name": "Eve"},
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{ACTIVE}/send-message", {}),
        (f"{ACTIVE}/send-message", {"message": ""}),
        (f"{ACTIVE}/send-message", {"message": 7}),
        (f"{ACTIVE}/send-message", {"message": "a", "role": "nobody"}),
        (f"{ACTIVE}/remove-peers", {}),
        (f"{ACTIVE}/remove-peers", {"peer_id": "", "role": ""}),
        (f"{ACTIVE}/remove-peers", {"role": "guest", "reason": "x" * 501}),
        (f"{ACTIVE}/end-room", {"lock": "yes"}),
        (f"{ACTIVE}/peers/{ADA}", {"role": "nobody"}),
        ("/room-codes/code", {"code": CODE}),
        ("/token", {}),
        (f"/recordings/room/{ROOM_ID}/start", {"audio_only": True}),
    ],
)
async def test_a_bad_body_is_refused(
    services: NativeServices, client: HundredMsClient, path: str, body: dict[str, Any]
) -> None:
    error = await refused(client, path, body)
    assert (error.status, error.body["message"]) == (400, "Invalid body param")
    assert error.body["details"]
    assert services.calls == []


async def test_a_room_without_a_live_session_is_not_active(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = {"GET /sessions/my": {"sessions": [], **NO_MORE}}
    for path in (ACTIVE, f"{ACTIVE}/peers", f"{ACTIVE}/peers/{ADA}", "/active-rooms/unknown"):
        assert (await refused(client, path)).status == 404
    for path, body in (
        (f"{ACTIVE}/end-room", {"lock": True}),
        (f"{ACTIVE}/send-message", {"message": "a"}),
        (f"{ACTIVE}/remove-peers", {"role": "guest"}),
        (f"{ACTIVE}/peers/{ADA}", {"name": "a"}),
        (f"/recordings/room/{ROOM_ID}/start", {}),
        (f"/recordings/room/{ROOM_ID}/stop", {}),
        (f"/live-streams/room/{ROOM_ID}/start", {}),
        (f"/live-streams/room/{ROOM_ID}/stop", {}),
    ):
        assert (await refused(client, path, body)).status == 404
    assert set(services.asked) == {"GET /sessions/my"}


@pytest.mark.parametrize("id", ["unknown", "60f26d32e64b3af3b9e5e3a1", "..%2fmy", "%2e%2e", "a%20b"])
async def test_ids_that_cannot_be_ours_are_not_found(
    services: NativeServices, client: HundredMsClient, id: str
) -> None:
    services.answers = {"GET /sessions/my": ANSWERS["GET /sessions/my"]}
    for path in ("sessions", "rooms", "recordings", "recording-assets", "live-streams", "active-rooms"):
        assert (await refused(client, f"/{path}/{id}")).status == 404
    assert (await refused(client, f"{ACTIVE}/peers/{id}")).status == 404
    for path in (f"/recordings/{id}/stop", f"/rooms/{id}", f"/room-codes/room/{id}"):
        assert (await refused(client, path, {})).status == 404
    for code in (id, "ABC-DEFG-HIJ"):
        assert (await refused(client, "/token", {"code": code})).status == 404
    assert (await refused(client, f"/room-codes/room/{ROOM_ID}/role/{id}", {})).status == 404


async def test_what_is_somebody_else_s_is_not_found(
    services: NativeServices, client: HundredMsClient
) -> None:
    theirs = (403, "not_the_host")
    services.answers = {
        f"GET /rooms/{ROOM_ID}": native_room(host_id="u-2"),
        f"GET /sessions/{SESSION_ID}": native_session(host_id="u-2"),
        "GET /connections": theirs,
        "GET /sessions/my": {"sessions": [], **NO_MORE},
        f"POST /rooms/{ROOM_ID}/codes": {"codes": [native_code()]},
        f"GET /rooms/{ROOM_ID}/codes": {"codes": [native_code()]},
        f"GET /room_codes/{CODE}": native_code(),
        f"PATCH /room_codes/{CODE}": native_code(),
        f"GET /recordings/{RECORDING_ID}": native_recording(host_id="u-2"),
        f"GET /recordings/{RECORDING_ID}/download": {"download_url": "https://example.com/theirs"},
        f"GET /streams/{SESSION_ID}": native_stream(),
    }
    for path in (
        f"/rooms/{ROOM_ID}",
        f"/sessions/{SESSION_ID}",
        ACTIVE,
        f"/room-codes/room/{ROOM_ID}",
        f"/recordings/{RECORDING_ID}",
        f"/recording-assets/{RECORDING_ID}/presigned-url",
        f"/live-streams/{SESSION_ID}",
    ):
        assert (await refused(client, path)).status == 404
    for path, body in (
        (f"/rooms/{ROOM_ID}", {"enabled": False}),
        (f"/room-codes/room/{ROOM_ID}", {}),
        (f"/room-codes/room/{ROOM_ID}/role/guest", {}),
        ("/room-codes/code", {"code": CODE, "enabled": False}),
        (f"/recordings/{RECORDING_ID}/stop", {}),
        (f"/live-streams/{SESSION_ID}/stop", {}),
    ):
        assert (await refused(client, path, body)).status == 404
    assert not any(asked.startswith(("POST", "PATCH")) for asked in services.asked)


async def test_a_recording_that_runs_is_stopped_and_has_no_file_yet(
    services: NativeServices, client: HundredMsClient
) -> None:
    running = native_recording(status="recording", finished_at=None)
    services.answers = ANSWERS | {
        f"GET /recordings/{RECORDING_ID}": running,
        f"GET /recordings/{RECORDING_ID}/download": (409, "recording_not_ready"),
    }
    assert (await client.get(f"/recordings/{RECORDING_ID}"))["recording_assets"] is None
    assert (await refused(client, f"/recording-assets/{RECORDING_ID}")).status == 404
    assert (await refused(client, f"/recording-assets/{RECORDING_ID}/presigned-url")).status == 404
    await client.post(f"/recordings/{RECORDING_ID}/stop")
    assert services.asked[-1] == f"POST /sessions/{SESSION_ID}/recordings/stop"


async def test_stopping_what_does_not_run_stops_nothing(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = ANSWERS | {
        f"POST /sessions/{SESSION_ID}/recordings/stop": (409, "recording_not_active"),
        f"GET /streams/{SESSION_ID}": native_stream(status="ended"),
    }
    nothing = {"limit": 10, "data": [], "last": ""}
    assert await client.post(f"/recordings/room/{ROOM_ID}/stop") == nothing
    assert await client.post(f"/live-streams/room/{ROOM_ID}/stop") == nothing
    assert (await client.post(f"/live-streams/{SESSION_ID}/stop"))["status"] == "completed"
    services.answers[f"GET /streams/{SESSION_ID}"] = (404, "stream_not_found")
    assert await client.post(f"/live-streams/room/{ROOM_ID}/stop") == nothing
    assert f"POST /sessions/{SESSION_ID}/stop_stream" not in services.asked


async def test_a_stream_that_was_just_asked_for_is_starting(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = ANSWERS | {f"GET /streams/{SESSION_ID}": (404, "stream_not_found")}
    started = await client.post(f"/live-streams/room/{ROOM_ID}/start")
    assert (started["id"], started["status"]) == (SESSION_ID, "starting")
    services.answers[f"GET /streams/{SESSION_ID}"] = native_stream()
    assert (await client.post(f"/live-streams/{SESSION_ID}/stop"))["status"] == "stopping"


async def test_what_a_state_forbids_is_a_bad_request(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = ANSWERS | {f"POST /sessions/{SESSION_ID}/recordings/start": (409, "recording_active")}
    error = await refused(client, f"/recordings/room/{ROOM_ID}/start", {})
    assert error.body == {"code": 400, "message": "No", "details": []}


async def test_a_disabled_room_gives_no_codes(services: NativeServices, client: HundredMsClient) -> None:
    services.answers = {
        f"GET /rooms/{ROOM_ID}": native_room(),
        f"POST /rooms/{ROOM_ID}/codes": (403, "room_disabled"),
        f"POST /room_codes/{CODE}/exchange": (403, "room_code_disabled"),
    }
    assert (await refused(client, f"/room-codes/room/{ROOM_ID}", {})).status == 403
    assert (await refused(client, "/token", {"code": CODE})).status == 403


async def test_a_code_is_exchanged_without_credentials(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = ANSWERS
    async with client.http.post(f"{client.url}/v2/token", json={"code": CODE, "user_id": "ada-7"}) as answer:
        assert (answer.status, await answer.json()) == (200, {"token": "a.b.c"})
    assert services.calls[0].body == {"external_user_id": "ada-7"}


async def test_a_token_that_is_refused_is_renewed_once(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = ANSWERS
    stale = management_token(exp=1_000_000_000)
    client.token = stale
    assert (await client.get(f"/rooms/{ROOM_ID}"))["id"] == ROOM_ID
    assert len(client.sent) == 2
    assert client.sent[0] == stale
    services.answers = {f"GET /rooms/{ROOM_ID}": (403, "scope_missing")}
    assert (await refused(client, f"/rooms/{ROOM_ID}")).status == 403
    assert len(client.sent) == 4
