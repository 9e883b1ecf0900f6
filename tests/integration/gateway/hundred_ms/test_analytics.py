"""Analytics events of one session, and of all of a room's."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.gateway.hundred_ms.published_client import HundredMsClient, HundredMsError
from tests.integration.gateway.hundred_ms.test_calls import NO_MORE, OURS
from tests.integration.gateway.native_services import NativeCall, NativeServices
from tests.unit.gateway.hundred_ms.fixtures import ADA, BEN, RECORDING_ID, native_connection
from tests.unit.gateway.hundred_ms.test_events import TRACK, WHO, native_event
from tests.unit.gateway.signalwire.fixtures import LATER, ROOM_ID, SESSION_ID, native_session

PATH = "/analytics/events"
NOTHING = {"limit": 10, "total": 0, "next": "", "events": []}


async def test_events_of_a_session_are_paged_through(
    services: NativeServices, client: HundredMsClient
) -> None:
    first = native_event("participant.joined.v1", **WHO)
    second = native_event("participant.left.v1", **WHO, left_at=LATER, reason=None)

    def events(asked: NativeCall) -> dict[str, Any]:
        later = asked.query.get("cursor") == first["id"]
        return {"events": [second if later else first], "next_cursor": None if later else first["id"]}

    services.answers = {
        f"GET /sessions/{SESSION_ID}": native_session(**OURS, preset=None),
        f"GET /sessions/{SESSION_ID}/events": events,
    }
    query = {"room_id": ROOM_ID, "session_id": SESSION_ID, "limit": 1}
    page = await client.get(PATH, query)
    assert set(page) == {"limit", "total", "next", "events"}
    assert (page["limit"], page["total"]) == (1, 1)
    assert [one["type"] for one in page["events"]] == ["peer.join.success"]
    page = await client.get(PATH, query | {"start": page["next"]})
    assert ([one["type"] for one in page["events"]], page["next"]) == (["peer.leave.success"], "")


async def test_events_of_a_room_are_those_of_its_sessions_the_last_first(
    services: NativeServices, client: HundredMsClient
) -> None:
    ids = [new_id() for _ in range(3)][::-1]

    def sessions(asked: NativeCall) -> dict[str, Any]:
        place = ids.index(asked.query["cursor"]) + 1 if "cursor" in asked.query else 0
        shown = ids[place : place + 1]
        following = ids[place] if place < len(ids) - 1 else None
        page = [native_session(id=id, preset=None, **OURS) for id in shown]
        return {"sessions": page, "next_cursor": following}

    def events(asked: NativeCall) -> dict[str, Any]:
        if "cursor" in asked.query or ids[1] in asked.path:
            return {"events": [native_event("session.ended.v1", ended_at=LATER)], **NO_MORE}
        return {"events": [native_event("session.started.v1")], "next_cursor": RECORDING_ID}

    services.answers = {"GET /sessions/my": sessions}
    services.answers |= {f"GET /sessions/{id}": native_session(id=id, preset=None, **OURS) for id in ids}
    services.answers |= {f"GET /sessions/{id}/events": events for id in ids}
    found: list[tuple[str, str]] = []
    start: dict[str, str] = {}
    while True:
        page = await client.get(PATH, {"room_id": ROOM_ID, **start})
        found += [(one["data"]["session_id"], one["type"]) for one in page["events"]]
        if not page["next"]:
            break
        start = {"start": page["next"]}
    opened, closed = "session.open.success", "session.close.success"
    assert found == [
        (ids[0], opened),
        (ids[0], closed),
        (ids[1], closed),
        (ids[2], opened),
        (ids[2], closed),
    ]


async def test_what_is_asked_for_is_asked_of_the_journal(
    services: NativeServices, client: HundredMsClient
) -> None:
    services.answers = {
        f"GET /sessions/{SESSION_ID}": native_session(**OURS, preset=None),
        f"GET /sessions/{SESSION_ID}/events": {"events": [], **NO_MORE},
    }
    types = ["track.add.success", "beam.failure", "no.such.type"]
    query = {"session_id": SESSION_ID, "peer_id": ADA, "beam_id": RECORDING_ID}
    assert await client.get(PATH, query | {"type": types}) == NOTHING
    assert await client.get(PATH, query | {"type": types, "error": True}) == NOTHING
    first, second = (call.query for call in services.calls if call.path.endswith("/events"))
    assert first.getall("name") == ["recording.changed.v1", "track.published.v1"]
    assert second.getall("name") == ["recording.changed.v1"]
    asked = {name: first[name] for name in ("connection_id", "recording_id", "limit")}
    assert asked == {"connection_id": ADA, "recording_id": RECORDING_ID, "limit": "10"}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"type": ["track.add.success"]}, ["track.add.success"]),
        ({"user_id": "ada-7"}, ["track.add.success", "peer.join.success"]),
        ({"user_id": "u-8"}, ["peer.join.success"]),
        ({"beam_id": SESSION_ID}, ["hls.started.success"]),
        ({"type": ["hls.failure", "beam.failure"]}, []),
    ],
)
async def test_what_the_journal_cannot_be_asked_for_is_left_out(
    services: NativeServices, client: HundredMsClient, query: dict[str, Any], shown: list[str]
) -> None:
    somebody = WHO | {"connection_id": BEN, "user_id": "u-8", "external_user_id": None}
    events = [
        native_event("track.published.v1", **TRACK),
        native_event("participant.joined.v1", **WHO),
        native_event("participant.joined.v1", **somebody),
        native_event("stream.changed.v1", status="active", error=None),
    ]
    services.answers = {
        f"GET /sessions/{SESSION_ID}": native_session(**OURS, preset=None),
        f"GET /sessions/{SESSION_ID}/events": {"events": events, **NO_MORE},
        "GET /connections": {"connections": {SESSION_ID: [native_connection()]}, "incomplete": []},
    }
    page = await client.get(PATH, {"session_id": SESSION_ID, **query})
    assert [one["type"] for one in page["events"]] == shown
    assert page["total"] == len(shown)
    if shown[:1] == ["track.add.success"]:
        assert page["events"][0]["data"]["user_name"] == "Ada"


@pytest.mark.parametrize(
    "query",
    [
        {"session_id": "x"},
        {"room_id": ROOM_ID, "type": ["no.such.type"]},
        {"session_id": new_id()},
        {"session_id": SESSION_ID, "room_id": new_id()},
        {"room_id": new_id()},
    ],
)
async def test_what_is_not_there_has_no_events(
    services: NativeServices, client: HundredMsClient, query: dict[str, Any]
) -> None:
    services.answers = {
        f"GET /sessions/{query.get('session_id')}": (404, "session_not_found"),
        f"GET /sessions/{SESSION_ID}": native_session(**OURS, preset=None),
        "GET /sessions/my": {"sessions": [], **NO_MORE},
    }
    assert await client.get(PATH, query) == NOTHING


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"room_id": ROOM_ID, "limit": 0},
        {"room_id": ROOM_ID, "limit": 101},
        {"room_id": ROOM_ID, "start": "x"},
        {"room_id": ROOM_ID, "start": f"{SESSION_ID}."},
    ],
)
async def test_a_bad_query_is_refused(
    services: NativeServices, client: HundredMsClient, query: dict[str, Any]
) -> None:
    with pytest.raises(HundredMsError) as caught:
        await client.get(PATH, query)
    assert (caught.value.status, caught.value.body["message"]) == (400, "Invalid query parameter")
    assert services.calls == []
