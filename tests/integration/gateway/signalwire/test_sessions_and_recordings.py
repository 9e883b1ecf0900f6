"""Lists of sessions, and recordings."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.gateway.native_services import NativeCall, NativeServices
from tests.integration.gateway.signalwire.published_client import (
    LINK,
    NO_EVENTS,
    NO_MORE,
    NO_ROOMS,
    NOT_FOUND,
    OURS,
    RECORDING,
    RECORDING_ID,
    Calling,
    attributes,
    refused,
)
from tests.unit.gateway.signalwire.fixtures import ROOM_ID, SESSION_ID, native_room, native_session


async def test_pages_show_each_session_once_while_others_are_created(
    services: NativeServices, call: Calling
) -> None:
    ids = [new_id() for _ in range(5000)]

    def list_sessions(asked: NativeCall) -> dict[str, Any]:
        before, limit = asked.query.get("cursor"), int(asked.query["limit"])
        shown = [one for one in reversed(ids) if before is None or one < before][: limit + 1]
        ids.append(new_id())
        page = [native_session(id=one, **OURS) for one in shown[:limit]]
        return {"sessions": page, "next_cursor": shown[limit - 1] if len(shown) > limit else None}

    services.answers["GET /sessions/my"] = list_sessions
    known = list(ids)
    found = await call(
        lambda client: [one["id"] for one in client.video.room_sessions.paginate(page_size=400)]
    )
    assert found == known[::-1]
    assert len(services.calls) == 13


async def test_filters_are_passed_on_and_sessions_that_have_not_begun_are_not_asked_for(
    services: NativeServices, call: Calling
) -> None:
    services.answers["GET /sessions/my"] = {"sessions": [], **NO_MORE}
    await call(
        lambda client: client.video.room_sessions.list(
            room_id=ROOM_ID, room_name="standup", room_name_matches="stand", status="completed"
        )
    )
    await call(lambda client: client.video.room_sessions.list())
    first, second = (call.query for call in services.calls)
    named = ("room_id", "room_name", "room_name_contains", "status")
    assert [first[name] for name in named] == [ROOM_ID, "standup", "stand", "ended"]
    assert second.getall("status") == ["live", "ended"]
    services.answers["GET /rooms/my"] = NO_ROOMS
    await call(
        lambda client: client.video.rooms.list(starts_after="2030-01-31", ends_before="2030-02-01T10:00:00Z")
    )
    asked = services.calls[-1].query
    assert asked["join_from_after"] == "2030-01-31T00:00:00+00:00"
    assert asked["join_until_before"] == "2030-02-01T10:00:00+00:00"


@pytest.mark.parametrize("status", ["scheduled", "expired"])
async def test_a_session_that_never_began_is_not_found(
    services: NativeServices, call: Calling, status: str
) -> None:
    services.answers[f"GET /sessions/{SESSION_ID}"] = native_session(status=status, **OURS)
    error = await refused(call, lambda client: client.video.room_sessions.get(SESSION_ID))
    assert (error.status_code, error.body) == NOT_FOUND


async def test_what_is_somebody_else_s_is_not_found(services: NativeServices, call: Calling) -> None:
    services.answers = {
        f"GET /rooms/{ROOM_ID}": native_room(host_id="u-2"),
        f"GET /sessions/{SESSION_ID}": native_session(host_id="u-2"),
        # A key may see and change all of its organization natively.
        f"GET /sessions/{SESSION_ID}/events": NO_EVENTS,
        f"GET /sessions/{SESSION_ID}/connections": {"connections": [], **NO_MORE},
        "GET /recordings/my": {"recordings": [], **NO_MORE},
        f"GET /recordings/{RECORDING_ID}": RECORDING | {"host_id": "u-2"},
        f"GET /recordings/{RECORDING_ID}/download": LINK,
    }
    for made in (
        lambda client: client.video.rooms.get(ROOM_ID),
        lambda client: client.video.rooms.update(ROOM_ID, max_members=1),
        lambda client: client.video.rooms.delete(ROOM_ID),
        lambda client: client.video.room_sessions.get(SESSION_ID),
        lambda client: client.video.room_sessions.list_members(SESSION_ID),
        lambda client: client.video.room_sessions.list_events(SESSION_ID),
        lambda client: client.video.room_sessions.list_recordings(SESSION_ID),
        lambda client: client.video.room_recordings.get(RECORDING_ID),
        lambda client: client.video.room_recordings.delete(RECORDING_ID),
        lambda client: client.video.room_recordings.list_events(RECORDING_ID),
    ):
        error = await refused(call, made)
        assert (error.status_code, error.body) == NOT_FOUND
    assert not [asked for asked in services.asked if asked.startswith(("PATCH", "DELETE"))]


@pytest.mark.parametrize(
    ("given", "seconds"), [({}, "900"), ({"media_ttl": 60}, "60"), ({"media_ttl": 10**8}, "604800")]
)
async def test_links_to_files_last_as_long_as_asked_for_up_to_a_week(
    services: NativeServices, call: Calling, given: dict[str, int], seconds: str
) -> None:
    services.answers = {
        f"GET /recordings/{RECORDING_ID}": RECORDING,
        f"GET /recordings/{RECORDING_ID}/download": LINK,
        "GET /recordings/my": {"recordings": [RECORDING], **NO_MORE},
    }
    query: Any = given
    shown = await call(lambda client: client.video.room_recordings.get(RECORDING_ID, **query))
    listed = await call(lambda client: client.video.room_recordings.list(**query))
    assert (shown["uri"], listed["data"][0]["uri"]) == (LINK["download_url"], RECORDING["download_url"])
    asked = {one.path: one.query for one in services.calls}
    assert asked[f"/recordings/{RECORDING_ID}/download"]["seconds"] == seconds
    listing = asked["/recordings/my"]
    assert (listing["link_seconds"], listing["own"]) == (seconds, "true")


async def test_a_recording_without_a_file_has_no_link(services: NativeServices, call: Calling) -> None:
    services.answers = {
        f"GET /recordings/{RECORDING_ID}": RECORDING | {"status": "recording", "finished_at": None},
        f"GET /recordings/{RECORDING_ID}/download": (409, "recording_not_ready"),
    }
    shown = await call(lambda client: client.video.room_recordings.get(RECORDING_ID))
    assert (shown["status"], shown["uri"]) == ("recording", None)


async def test_links_of_negative_length_are_refused(services: NativeServices, call: Calling) -> None:
    error = await refused(call, lambda client: client.video.room_recordings.list(media_ttl=-1))
    assert attributes(error) == [("media_ttl", "invalid_parameter")]
    assert services.calls == []
