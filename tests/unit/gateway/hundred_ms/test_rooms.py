"""100ms's rooms as native rooms and back."""

from typing import Any

import pytest

from services.gateway.compat.hundred_ms.room_bodies import HundredMsRoomCreate, HundredMsRoomUpdate
from services.gateway.compat.hundred_ms.room_translation import changed_room, created_room, room
from tests.unit.gateway.hundred_ms.contract import check_fields
from tests.unit.gateway.signalwire.fixtures import EARLIER, LATER, ROOM_ID, native_room

PRESET = "0190b5b0-7c5c-7000-8000-0000000000cc"
EVERYTHING: dict[str, Any] = {
    "name": "Stand.up:1",
    "description": "Each morning",
    "region": "eu",
    "large_room": True,
    "size": 5000,
    "max_duration_seconds": 3600,
    "polls": ["p1"],
    "webhook": {"url": "https://example.com/hook", "headers": {"X-Secret": "s"}},
    "recording_info": {
        "enabled": True,
        "upload_info": {
            "type": "s3",
            "location": "bucket",
            "prefix": "p",
            "options": {"region": "eu-1", "unpublished": 10**30},
            "credentials": {"key": "k", "secret": "s"},
        },
    },
}


def create(**fields: object) -> dict[str, Any]:
    body = HundredMsRoomCreate.model_validate(fields)
    return created_room(body, body.name or "generated", body.template_id)


def shown(**changes: object) -> dict[str, Any]:
    return room(native_room(**{"preset_id": None, "max_members": None, **changes}), "o-1")


def test_a_new_room_is_automatic_and_unlisted() -> None:
    native = create(name="standup")
    assert native == {
        "name": "standup",
        "title": "standup",
        "preset_id": None,
        "unlisted": True,
        "auto_session": True,
        "meta": {"hundred_ms": {}},
    }
    found = shown(**native)
    assert found == {
        "id": ROOM_ID,
        "name": "standup",
        "enabled": True,
        "description": "",
        "customer_id": "o-1",
        "customer": "o-1",
        "app_id": "u-1",
        "recording_info": None,
        "recording_source_template": True,
        "enabled_source_template": False,
        "template_id": "",
        "template": "",
        "region": "auto",
        "created_at": EARLIER,
        "updated_at": LATER,
    }
    check_fields(found, "Room")


def test_what_was_sent_comes_back_without_its_secrets() -> None:
    native = create(**EVERYTHING, template_id=PRESET)
    assert (native["max_members"], native["record_on_start"], native["preset_id"]) == (5000, True, PRESET)
    found = shown(**native)
    check_fields(found, "Room")
    info = found["recording_info"]
    assert info["upload_info"] == {
        "type": "s3",
        "location": "bucket",
        "prefix": "p",
        "options": {"region": "eu-1"},
    }
    assert (info["enabled"], found["recording_source_template"]) == (True, False)
    assert found["webhook"] == {"url": "https://example.com/hook"}
    same = ("name", "description", "region", "large_room", "size", "max_duration_seconds", "polls")
    assert [found[name] for name in same] == [EVERYTHING[name] for name in same]
    assert (found["template_id"], found["template"]) == (PRESET, PRESET)


def test_an_update_changes_what_was_sent_and_keeps_the_rest() -> None:
    current: dict[str, Any] = native_room(**create(**EVERYTHING))
    current["meta"]["other"] = {"a": 1}
    changes = changed_room(current, HundredMsRoomUpdate.model_validate({"region": "us", "size": 0}))
    kept = {**current["meta"]["hundred_ms"], "region": "us"}
    assert changes == {"max_members": None, "meta": {"other": {"a": 1}, "hundred_ms": kept}}
    assert changed_room(current, HundredMsRoomUpdate.model_validate({"enabled": False})) == {"enabled": False}


def test_recording_that_was_switched_off_natively_is_off() -> None:
    native = create(**EVERYTHING) | {"record_on_start": False}
    assert shown(**native)["recording_info"]["enabled"] is False


@pytest.mark.parametrize(("name", "title"), [("ab", "Room ab"), ("abc", "abc")])
def test_short_names_make_titles(name: str, title: str) -> None:
    assert create(name=name)["title"] == title


def test_a_room_that_was_made_natively_has_a_name() -> None:
    assert shown(name=None, record_on_start=True)["name"] == ROOM_ID
    assert shown(name=None, record_on_start=True)["recording_info"] == {"enabled": True}
