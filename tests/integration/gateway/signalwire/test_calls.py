"""What each operation asks of the services."""

from typing import Any

import pytest
from signalwire.rest import RestClient

from tests.integration.gateway.native_services import NativeServices
from tests.integration.gateway.signalwire.published_client import (
    LINK,
    LIVE,
    NO_EVENTS,
    NO_MORE,
    OURS,
    RECORDING,
    RECORDING_ID,
    ROOMS,
    Call,
    Calling,
)
from tests.unit.gateway.signalwire.fixtures import ROOM_ID, SESSION_ID, native_room, native_session


def read_by_name(client: RestClient) -> Any:
    return client.video.rooms.get("standup")


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        (lambda client: client.video.rooms.list(), ["GET /rooms/my"]),
        (
            lambda client: client.video.rooms.list(include_active_session=True),
            ["GET /rooms/my", "GET /sessions/my"],
        ),
        (read_by_name, ["GET /rooms/my"]),
        (lambda client: client.video.rooms.get(ROOM_ID), [f"GET /rooms/{ROOM_ID}"]),
        (lambda client: client.video.rooms.create(name="standup"), ["POST /rooms"]),
        (
            lambda client: client.video.rooms.update(ROOM_ID, max_members=7),
            [f"GET /rooms/{ROOM_ID}", f"PATCH /rooms/{ROOM_ID}"],
        ),
        (
            lambda client: client.video.rooms.delete(ROOM_ID),
            [f"DELETE /rooms/{ROOM_ID}", f"GET /rooms/{ROOM_ID}"],
        ),
        (
            lambda client: client.video.room_tokens.create(room_name="standup"),
            ["GET /rooms/my", f"POST /rooms/{ROOM_ID}/tokens"],
        ),
        (lambda client: client.video.room_sessions.list(), ["GET /sessions/my"]),
        (lambda client: client.video.room_sessions.get(SESSION_ID), [f"GET /sessions/{SESSION_ID}"]),
        (
            lambda client: client.video.room_sessions.list_members(SESSION_ID),
            [f"GET /sessions/{SESSION_ID}", f"GET /sessions/{SESSION_ID}/connections"],
        ),
        (
            lambda client: client.video.room_sessions.list_events(SESSION_ID),
            [f"GET /sessions/{SESSION_ID}", f"GET /sessions/{SESSION_ID}/events"],
        ),
        (
            lambda client: client.video.room_sessions.list_recordings(SESSION_ID),
            ["GET /recordings/my", f"GET /sessions/{SESSION_ID}"],
        ),
        (lambda client: client.video.room_recordings.list(), ["GET /recordings/my"]),
        (
            lambda client: client.video.room_recordings.get(RECORDING_ID),
            [f"GET /recordings/{RECORDING_ID}", f"GET /recordings/{RECORDING_ID}/download"],
        ),
        (
            lambda client: client.video.room_recordings.delete(RECORDING_ID),
            [f"DELETE /recordings/{RECORDING_ID}", f"GET /recordings/{RECORDING_ID}"],
        ),
        (
            lambda client: client.video.room_recordings.list_events(RECORDING_ID),
            [f"GET /recordings/{RECORDING_ID}", f"GET /sessions/{SESSION_ID}/events"],
        ),
    ],
)
async def test_every_operation_of_the_client_makes_no_more_calls_than_it_needs(
    services: NativeServices, call: Calling, made: Call, asked: list[str]
) -> None:
    services.answers = {
        "GET /rooms/my": ROOMS,
        "POST /rooms": {"room": native_room(**OURS)},
        f"GET /rooms/{ROOM_ID}": native_room(**OURS),
        f"PATCH /rooms/{ROOM_ID}": native_room(**OURS),
        f"DELETE /rooms/{ROOM_ID}": None,
        f"POST /rooms/{ROOM_ID}/tokens": {"livekit_token": "a.b.c"},
        "GET /sessions/my": LIVE,
        f"GET /sessions/{SESSION_ID}": native_session(**OURS),
        f"GET /sessions/{SESSION_ID}/connections": {"connections": [], **NO_MORE},
        f"GET /sessions/{SESSION_ID}/events": NO_EVENTS,
        "GET /recordings/my": {"recordings": [RECORDING], **NO_MORE},
        f"GET /recordings/{RECORDING_ID}": RECORDING,
        f"GET /recordings/{RECORDING_ID}/download": LINK,
        f"DELETE /recordings/{RECORDING_ID}": None,
    }
    assert isinstance(await call(made), dict)
    assert sorted(services.asked) == sorted(asked)
