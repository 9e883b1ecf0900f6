"""Rooms and their tokens."""

import pytest
from signalwire.rest import RestClient

from shared.ids import new_id
from tests.integration.gateway.native_services import NativeServices
from tests.integration.gateway.signalwire.published_client import (
    LIVE,
    NO_MORE,
    NO_ROOMS,
    NOT_FOUND,
    OURS,
    ROOMS,
    Calling,
    attributes,
    refused,
)
from tests.unit.gateway.signalwire.fixtures import ROOM_ID, SESSION_ID, native_room, native_session


async def test_active_sessions_are_shown_with_their_rooms(services: NativeServices, call: Calling) -> None:
    quiet = native_room(id=new_id(), name="quiet", title="quiet", **OURS)
    room = native_room(active_session_id=SESSION_ID, **OURS)
    services.answers = {
        "GET /rooms/my": {"rooms": [room, quiet], **NO_MORE},
        "GET /sessions/my": LIVE,
        f"GET /rooms/{ROOM_ID}": room,
        f"GET /sessions/{SESSION_ID}": native_session(**OURS),
    }
    path = f"/api/video/rooms/{ROOM_ID}"
    listed = await call(lambda client: client.video.rooms.list(include_active_session="true"))
    assert [one.get("active_session", {}).get("id") for one in listed["data"]] == [SESSION_ID, None]
    alone = await call(lambda client: client._http.get(path, {"include_active_session": True}))
    assert alone["active_session"] == listed["data"][0]["active_session"]
    without = await call(lambda client: client.video.rooms.get(ROOM_ID))
    assert "active_session" not in without


@pytest.mark.parametrize(
    "name",
    ["nothing", new_id(), "not%20a%20name", "..%2fmy", "%2e%2e"],
    ids=["a name", "an id", "spaces", "a path", "the folder above"],
)
async def test_a_room_that_is_not_there_or_cannot_be_is_not_found(
    services: NativeServices, call: Calling, name: str
) -> None:
    services.answers = {"GET /rooms/my": NO_ROOMS, f"GET /rooms/{name}": (404, "room_not_found")}
    for made in (
        lambda client: client.video.rooms.get(name),
        lambda client: client.video.rooms.update(name, max_members=1),
        lambda client: client.video.rooms.delete(name),
    ):
        error = await refused(call, made)
        assert (error.status_code, error.body) == NOT_FOUND


async def test_a_token_s_room_is_created_if_it_is_not_there(services: NativeServices, call: Calling) -> None:
    services.answers = {
        "GET /rooms/my": NO_ROOMS,
        "POST /rooms": {"room": native_room(**OURS)},
        f"POST /rooms/{ROOM_ID}/tokens": {"livekit_token": "a.b.c"},
    }
    made = await call(
        lambda client: client.video.room_tokens.create(
            room_name="standup", user_name="Ada", room_display_name="Daily", room_meta={"a": 1}
        )
    )
    assert made == {"token": "a.b.c"}
    _, room, token = (asked.body for asked in services.calls)
    assert (room["name"], room["title"], room["meta"]["signalwire"]["meta"]) == ("standup", "Daily", {"a": 1})
    assert (token["name"], token["role"]) == ("Ada", "guest")


async def test_two_first_tokens_of_a_room_are_for_one_room(services: NativeServices, call: Calling) -> None:
    found = iter([NO_ROOMS, ROOMS])
    services.answers = {
        "GET /rooms/my": lambda _: next(found),
        "POST /rooms": (409, "room_name_taken"),
        f"POST /rooms/{ROOM_ID}/tokens": {"livekit_token": "a.b.c"},
    }
    assert await call(lambda client: client.video.room_tokens.create(room_name="standup")) == {
        "token": "a.b.c"
    }


@pytest.mark.parametrize(("create", "code"), [(False, "does_not_exist"), (True, "not_unique_within_project")])
async def test_a_token_without_a_room_says_why(
    services: NativeServices, call: Calling, create: bool, code: str
) -> None:
    services.answers = {"GET /rooms/my": NO_ROOMS, "POST /rooms": (409, "room_name_taken")}
    error = await refused(
        call, lambda client: client.video.room_tokens.create(room_name="standup", auto_create_room=create)
    )
    assert attributes(error) == [("room_name", code)]


async def test_complaints_about_a_token_name_what_was_sent(services: NativeServices, call: Calling) -> None:
    def make(client: RestClient) -> object:
        return client.video.room_tokens.create(room_name="standup", user_name="x", meta={"a": 1})

    services.answers = {
        "GET /rooms/my": NO_ROOMS,
        "POST /rooms": (422, "validation_failed", ["title", "meta"]),
    }
    error = await refused(call, make)
    assert attributes(error) == [
        ("room_display_name", "invalid_parameter"),
        ("room_meta", "invalid_parameter"),
    ]
    services.answers = {
        "GET /rooms/my": ROOMS,
        f"POST /rooms/{ROOM_ID}/tokens": (422, "validation_failed", ["name", "metadata", "join_until"]),
    }
    error = await refused(call, make)
    assert attributes(error) == [
        ("user_name", "invalid_parameter"),
        ("meta", "invalid_parameter"),
        ("join_until", "invalid_join_until_date"),
    ]


async def test_a_name_that_is_taken_and_a_live_room_are_refused_as_published(
    services: NativeServices, call: Calling
) -> None:
    services.answers = {
        "POST /rooms": (409, "room_name_taken"),
        f"GET /rooms/{ROOM_ID}": native_room(**OURS),
        f"DELETE /rooms/{ROOM_ID}": (409, "session_live"),
    }
    error = await refused(call, lambda client: client.video.rooms.create(name="standup"))
    assert attributes(error) == [("name", "not_unique_within_project")]
    error = await refused(call, lambda client: client.video.rooms.delete(ROOM_ID))
    assert (error.status_code, error.body) == (400, {"error": "Bad Request"})


async def test_a_body_that_is_too_long_is_refused_in_its_form(
    services: NativeServices, call: Calling
) -> None:
    error = await refused(
        call, lambda client: client.video.rooms.create(name="standup", description="x" * (2 * 1024 * 1024))
    )
    assert (error.status_code, error.body) == (413, {"error": "Request Entity Too Large"})
    assert services.calls == []
