"""SignalWire's rooms as native rooms and back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.gateway.compat.signalwire.bodies import VideoRoomCreate, VideoRoomUpdate
from services.gateway.compat.signalwire.room_translation import changed_room, created_room, video_room
from services.gateway.compat.signalwire.validation import read_body
from tests.unit.gateway.signalwire.fixtures import EARLIER, LATER, ROOM_ID, native_room
from tests.unit.gateway.signalwire.test_paging import asking


def create(**fields: object) -> dict[str, Any]:
    return created_room(VideoRoomCreate.model_validate({"name": "standup", **fields}))


def update(room: dict[str, Any], **fields: object) -> dict[str, Any]:
    return changed_room(room, VideoRoomUpdate.model_validate(fields))


def test_a_room_with_a_name_alone_has_the_published_defaults() -> None:
    native = create()
    assert (
        native.items()
        >= {
            "name": "standup",
            "title": "standup",
            "unlisted": True,
            "auto_session": True,
            "max_members": 20,
            "quality": "720p",
            "layout": "grid",
            "record_on_start": False,
            "join_from": None,
        }.items()
    )
    assert video_room(native_room(**native)).model_dump() == {
        "id": ROOM_ID,
        "name": "standup",
        "display_name": "standup",
        "description": None,
        "max_members": 20,
        "quality": "720p",
        "fps": 30,
        "join_from": None,
        "join_until": None,
        "remove_at": None,
        "remove_after_seconds_elapsed": None,
        "layout": "grid-responsive",
        "record_on_start": False,
        "tone_on_entry_and_exit": False,
        "room_join_video_off": False,
        "user_join_video_off": False,
        "enable_room_previews": False,
        "sync_audio_video": None,
        "meta": None,
        "prioritize_handraise": False,
        "created_at": EARLIER,
        "updated_at": LATER,
    }


@pytest.mark.parametrize(
    ("layout", "native"),
    [
        ("grid-responsive", "grid"),
        ("grid-responsive-mobile", "grid"),
        ("3x3", "grid"),
        ("10x10", "grid"),
        ("2x1", "grid"),
        ("highlight-1-responsive", "speaker"),
        ("5up", "speaker"),
        ("1x1", "single_speaker"),
    ],
)
def test_a_layout_comes_back_as_it_was_sent(layout: str, native: str) -> None:
    made = create(layout=layout)
    assert made["layout"] == native
    assert video_room(native_room(**made)).layout == layout


def test_a_layout_that_was_changed_natively_wins() -> None:
    made = create(layout="3x3") | {"layout": "speaker"}
    assert video_room(native_room(**made)).layout == "highlight-1-responsive"


@pytest.mark.parametrize(
    ("fields", "title", "shown"),
    [
        ({"display_name": "Daily standup"}, "Daily standup", "Daily standup"),
        ({"display_name": "Hi"}, "Room Hi", "Hi"),
        ({"display_name": "  "}, "standup", "  "),
        ({"display_name": ""}, "standup", "standup"),
        ({"name": "a"}, "Room a", "a"),
    ],
)
def test_a_display_name_comes_back_as_it_was_sent_though_titles_are_longer(
    fields: dict[str, str], title: str, shown: str
) -> None:
    made = create(**fields)
    assert made["title"] == title
    assert video_room(native_room(**made)).display_name == shown
    renamed = native_room(**made | {"title": "Renamed natively"})
    assert video_room(renamed).display_name == "Renamed natively"


def test_settings_without_native_meaning_are_kept() -> None:
    sent = {"meta": {"team": 7}, "enable_room_previews": True, "sync_audio_video": False}
    room = video_room(native_room(**create(**sent)))
    assert (room.meta, room.enable_room_previews, room.sync_audio_video) == ({"team": 7}, True, False)


def test_an_update_changes_what_was_sent_alone() -> None:
    room = native_room(**create(display_name="Daily", meta={"a": 1}, max_members=50))
    assert update(room, max_members=7) == {"max_members": 7}
    changes = update(room, display_name="Weekly", layout="5up")
    assert changes.keys() == {"title", "layout", "meta"}
    after = video_room(room | changes)
    assert (after.display_name, after.layout, after.meta) == ("Weekly", "5up", {"a": 1})


def test_null_in_an_update_is_the_default_again() -> None:
    room = native_room(
        **create(display_name="Daily", description="d", max_members=50, layout="5up", meta={"a": 1})
    )
    changes = update(
        room, display_name=None, description=None, max_members=None, layout=None, meta=None, join_from=None
    )
    after = video_room(room | changes)
    assert (after.display_name, after.description, after.max_members) == ("standup", None, 20)
    assert (after.layout, after.meta, after.join_from) == ("grid-responsive", None, None)


def test_an_update_leaves_other_things_in_the_room_s_meta() -> None:
    room = native_room(meta={"own": 1, "signalwire": {"sync_audio_video": True}})
    assert update(room, enable_room_previews=True)["meta"] == {
        "own": 1,
        "signalwire": {"sync_audio_video": True, "enable_room_previews": True},
    }


def test_a_native_room_without_name_and_options_is_shown_too() -> None:
    room = video_room(
        native_room(name=None, title="A native room", max_members=None, quality=None, layout=None, meta=None)
    )
    assert (room.name, room.display_name, room.max_members) == (ROOM_ID, "A native room", 300)
    assert (room.quality, room.layout) == ("720p", "grid-responsive")


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        ("2030-01-31T20:00:00Z", datetime(2030, 1, 31, 20, tzinfo=UTC)),
        ("2030-01-31T20:00:00+02:00", datetime(2030, 1, 31, 18, tzinfo=UTC)),
        ("2030-01-31", datetime(2030, 1, 31, tzinfo=UTC)),
        ("2030-01-31T23:59:60Z", datetime(2030, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2030-01-31T20:00:00", datetime(2030, 1, 31, 20, tzinfo=UTC)),
    ],
)
def test_moments_are_read_in_every_published_form(sent: str, moment: datetime) -> None:
    body = orjson.dumps({"name": "standup", "join_from": sent})
    assert read_body(replace(asking(), body=body), VideoRoomCreate).join_from == moment
