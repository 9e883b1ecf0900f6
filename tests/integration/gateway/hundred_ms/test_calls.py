"""Every published operation: what it asks the services, and that it answers the published fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.gateway.compat.hundred_ms.api import HUNDRED_MS
from tests.integration.gateway.fixtures import CALLER
from tests.integration.gateway.hundred_ms.published_client import HundredMsClient, HundredMsError
from tests.integration.gateway.native_services import Answering, NativeServices
from tests.unit.gateway.hundred_ms.contract import check_fields, published_operations
from tests.unit.gateway.hundred_ms.fixtures import (
    ADA,
    CODE,
    RECORDING_ID,
    native_code,
    native_connection,
    native_participant,
    native_recording,
    native_stream,
)
from tests.unit.gateway.signalwire.fixtures import ROOM_ID, SESSION_ID, native_room, native_session

OURS = {"host_id": CALLER.user_id}
NO_MORE = {"next_cursor": None}
SESSION = native_session(**OURS)
ROOM = native_room(preset_id=None, **OURS)
RECORDING = native_recording()
IN_ROOM = f"/sessions/{SESSION_ID}/room"
LIVE = "GET /sessions/my"
OWN_ROOM = f"GET /rooms/{ROOM_ID}"
ANSWERS: dict[str, Answering] = {
    "GET /sessions/my": {"sessions": [SESSION], **NO_MORE},
    f"GET /sessions/{SESSION_ID}": SESSION,
    "GET /connections": {"connections": {SESSION_ID: [native_connection()]}, "incomplete": []},
    f"GET {IN_ROOM}/participants": {"participants": [native_participant()]},
    f"GET {IN_ROOM}/participants/{ADA}": native_participant(),
    f"PATCH {IN_ROOM}/participants/{ADA}": native_participant(),
    f"DELETE {IN_ROOM}/participants/{ADA}": None,
    f"DELETE {IN_ROOM}/participants": None,
    f"POST {IN_ROOM}/messages": None,
    f"POST /sessions/{SESSION_ID}/end": None,
    "GET /rooms/my": {"rooms": [ROOM], **NO_MORE},
    "POST /rooms": {"room": ROOM},
    f"GET /rooms/{ROOM_ID}": ROOM,
    f"PATCH /rooms/{ROOM_ID}": ROOM,
    f"POST /rooms/{ROOM_ID}/codes": {"codes": [native_code()]},
    f"GET /rooms/{ROOM_ID}/codes": {"codes": [native_code()]},
    f"GET /room_codes/{CODE}": native_code(),
    f"PATCH /room_codes/{CODE}": native_code(),
    f"POST /room_codes/{CODE}/exchange": {"livekit_token": "a.b.c"},
    f"POST /sessions/{SESSION_ID}/recordings/start": RECORDING,
    f"POST /sessions/{SESSION_ID}/recordings/stop": RECORDING,
    "GET /recordings/my": {"recordings": [RECORDING], **NO_MORE},
    f"GET /recordings/{RECORDING_ID}": RECORDING,
    f"GET /recordings/{RECORDING_ID}/download": {"download_url": "https://example.com/f", "expires_at": ""},
    f"POST /sessions/{SESSION_ID}/ensure_hls_egress": None,
    f"POST /sessions/{SESSION_ID}/stop_stream": None,
    "GET /streams/my": {"streams": [native_stream()], **NO_MORE},
    f"GET /streams/{SESSION_ID}": native_stream(),
}


def page_of(schema: str, without: frozenset[str] = frozenset()) -> Callable[[Any], None]:
    def check(answer: Any) -> None:
        assert set(answer) == {"limit", "data", "last"}
        assert (answer["limit"], answer["last"], len(answer["data"])) == (10, "", 1)
        check_fields(answer["data"][0], schema, without)

    return check


def one(schema: str) -> Callable[[Any], None]:
    return lambda answer: check_fields(answer, schema)


def exactly(expected: dict[str, Any]) -> Callable[[Any], None]:
    def check(answer: Any) -> None:
        assert answer == expected

    return check


def peer(answer: Any) -> None:
    assert set(answer) - {"tracks"} == {"id", "name", "user_id", "metadata", "role", "joined_at"}
    assert list(answer["tracks"]) == ["TR_1"]


def peers(answer: Any) -> None:
    assert list(answer) == ["peers"]
    assert list(answer["peers"]) == [ADA]
    check_fields(answer["peers"][ADA], "ActivePeer")


def codes(answer: Any) -> None:
    assert list(answer) == ["data"]
    check_fields(answer["data"][0], "RoomCode")


@dataclass(frozen=True)
class Operation:
    """`asked` of the services, in any order."""

    method: str
    path: str
    asked: tuple[str, ...]
    check: Callable[[Any], None]
    body: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ACTIVE, BEAM = f"/active-rooms/{ROOM_ID}", f"/recordings/{RECORDING_ID}"
PARTICIPANTS, PARTICIPANT = f"GET {IN_ROOM}/participants", f"{IN_ROOM}/participants/{ADA}"
STREAM = f"GET /streams/{SESSION_ID}"
WITHOUT_ASSETS = frozenset({"recording_assets"})
SENT = exactly({"message": "message sent"})
REMOVED = exactly({"message": "peer remove request submitted"})
ENDED = exactly({"message": "session is ending"})
PRESIGNED = {"id": RECORDING_ID, "path": "recordings/1.mp4", "url": "https://example.com/f", "expiry": 3600}
OPERATIONS = [
    Operation("GET", "/sessions", (LIVE, "GET /connections"), page_of("Session")),
    Operation("GET", "/sessions/", (LIVE, "GET /connections"), page_of("Session")),
    Operation(
        "GET",
        f"/sessions/{SESSION_ID}",
        (f"GET /sessions/{SESSION_ID}", "GET /connections"),
        one("Session"),
    ),
    Operation("GET", ACTIVE, (LIVE, PARTICIPANTS), one("ActiveRoom")),
    Operation("GET", f"{ACTIVE}/peers", (LIVE, PARTICIPANTS), peers),
    Operation("GET", f"{ACTIVE}/peers/{ADA}", (LIVE, f"GET {PARTICIPANT}"), peer),
    Operation("POST", f"{ACTIVE}/peers/{ADA}", (LIVE, f"PATCH {PARTICIPANT}"), peer, {"name": "Eve"}),
    Operation(
        "POST", f"{ACTIVE}/send-message", (LIVE, f"POST {IN_ROOM}/messages"), SENT, {"message": "Hello"}
    ),
    Operation("POST", f"{ACTIVE}/remove-peers", (LIVE, f"DELETE {PARTICIPANT}"), REMOVED, {"peer_id": ADA}),
    Operation(
        "POST",
        f"{ACTIVE}/remove-peers",
        (LIVE, f"DELETE {IN_ROOM}/participants"),
        REMOVED,
        {"role": "guest"},
    ),
    Operation("POST", f"{ACTIVE}/end-room", (LIVE, f"POST /sessions/{SESSION_ID}/end"), ENDED),
    Operation(
        "POST",
        f"{ACTIVE}/end-room",
        (LIVE, f"PATCH /rooms/{ROOM_ID}", f"POST /sessions/{SESSION_ID}/end"),
        ENDED,
        {"lock": True, "reason": "over"},
    ),
    Operation("POST", "/rooms", ("POST /rooms",), one("Room"), {"name": "standup"}),
    Operation("GET", "/rooms", ("GET /rooms/my",), page_of("Room")),
    Operation("GET", f"/rooms/{ROOM_ID}", (f"GET /rooms/{ROOM_ID}",), one("Room")),
    Operation(
        "POST",
        f"/rooms/{ROOM_ID}",
        (f"GET /rooms/{ROOM_ID}", f"PATCH /rooms/{ROOM_ID}"),
        one("Room"),
        {"enabled": False},
    ),
    Operation("POST", f"/room-codes/room/{ROOM_ID}", (OWN_ROOM, f"POST /rooms/{ROOM_ID}/codes"), codes),
    Operation(
        "POST",
        f"/room-codes/room/{ROOM_ID}/role/guest",
        (OWN_ROOM, f"POST /rooms/{ROOM_ID}/codes"),
        one("RoomCode"),
    ),
    Operation(
        "GET", f"/room-codes/room/{ROOM_ID}", (OWN_ROOM, f"GET /rooms/{ROOM_ID}/codes"), page_of("RoomCode")
    ),
    Operation(
        "POST",
        "/room-codes/code",
        (f"GET /room_codes/{CODE}", OWN_ROOM, f"PATCH /room_codes/{CODE}"),
        one("RoomCode"),
        {"code": CODE, "enabled": False},
    ),
    Operation(
        "POST",
        "/token",
        (f"POST /room_codes/{CODE}/exchange",),
        exactly({"token": "a.b.c"}),
        {"code": CODE, "user_id": "ada-7"},
    ),
    Operation(
        "POST",
        f"/recordings/room/{ROOM_ID}/start",
        (LIVE, f"POST /sessions/{SESSION_ID}/recordings/start"),
        one("Recording"),
        {"meeting_url": "https://example.com", "resolution": {"width": 1280, "height": 720}},
    ),
    Operation(
        "POST",
        f"/recordings/room/{ROOM_ID}/stop",
        (LIVE, f"POST /sessions/{SESSION_ID}/recordings/stop"),
        page_of("Recording"),
    ),
    Operation("GET", "/recordings", ("GET /recordings/my",), page_of("Recording", WITHOUT_ASSETS)),
    Operation("GET", BEAM, (f"GET {BEAM}",), one("Recording")),
    Operation("POST", f"{BEAM}/stop", (f"GET {BEAM}",), one("Recording")),
    Operation("GET", "/recording-assets", ("GET /recordings/my",), page_of("RecordingAsset")),
    Operation("GET", f"/recording-assets/{RECORDING_ID}", (f"GET {BEAM}",), one("RecordingAsset")),
    Operation(
        "GET",
        f"/recording-assets/{RECORDING_ID}/presigned-url",
        (f"GET {BEAM}", f"GET {BEAM}/download"),
        exactly(PRESIGNED),
    ),
    Operation(
        "POST",
        f"/live-streams/room/{ROOM_ID}/start",
        (LIVE, f"POST /sessions/{SESSION_ID}/ensure_hls_egress", STREAM),
        one("LiveStream"),
        {"meeting_url": "https://example.com", "recording": {"hls_vod": True}},
    ),
    Operation(
        "POST",
        f"/live-streams/room/{ROOM_ID}/stop",
        (LIVE, STREAM, f"POST /sessions/{SESSION_ID}/stop_stream"),
        page_of("LiveStream"),
    ),
    Operation("GET", "/live-streams", ("GET /streams/my",), page_of("LiveStream")),
    Operation(
        "GET",
        f"/live-streams/{SESSION_ID}",
        (STREAM, f"GET /sessions/{SESSION_ID}"),
        one("LiveStream"),
    ),
    Operation(
        "POST",
        f"/live-streams/{SESSION_ID}/stop",
        (STREAM, f"GET /sessions/{SESSION_ID}", f"POST /sessions/{SESSION_ID}/stop_stream"),
        one("LiveStream"),
    ),
]
NOT_OFFERED = [
    f"/recordings/room/{ROOM_ID}/pause",
    f"/recordings/room/{ROOM_ID}/resume",
    f"/live-streams/{SESSION_ID}/timed-metadata",
    f"/live-streams/{SESSION_ID}/pause-recording",
    f"/live-streams/{SESSION_ID}/resume-recording",
]


def test_every_published_operation_is_there() -> None:
    declared = {(one.method, one.path) for one in HUNDRED_MS.operations}
    assert declared - {("GET", "/v2/sessions/")} == published_operations()
    assert len(OPERATIONS) + len(NOT_OFFERED) >= len(published_operations())


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_an_operation_asks_what_it_needs_and_answers_what_is_published(
    services: NativeServices, client: HundredMsClient, operation: Operation
) -> None:
    services.answers = ANSWERS
    if operation.method == "GET":
        answer = await client.get(operation.path)
    else:
        answer = await client.post(operation.path, operation.body)
    operation.check(answer)
    assert sorted(services.asked) == sorted(operation.asked)


@pytest.mark.parametrize("path", NOT_OFFERED)
async def test_what_greenroom_does_not_have_is_not_implemented(
    services: NativeServices, client: HundredMsClient, path: str
) -> None:
    with pytest.raises(HundredMsError) as caught:
        await client.post(path, {"payload": "now", "duration": 5})
    message = f"Greenroom has no {path.rpartition('/')[2]}"
    assert (caught.value.status, caught.value.body) == (501, {"code": 501, "message": message, "details": []})
    assert services.calls == []
