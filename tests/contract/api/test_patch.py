"""PATCH: absent keeps, null clears, unknown fields are ignored."""

from datetime import datetime
from typing import Any

import pytest

from tests.contract.api.cases import CASES
from tests.contract.api.client import Answer
from tests.contract.api.contract import operations
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import sample

UNCHANGED = {"updated_at"}
# What a preset goes back to when a field is cleared.
DEFAULTS = {"logo": None, "logo_destination_url": None, "max_join_limit": 10, "stage_enabled": True}


async def patch(fixtures: Fixtures, path: str, body: dict[str, Any]) -> Answer:
    return await fixtures.client.call("PATCH", path, fixtures.host.access_token, body)


def without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in {*names, *UNCHANGED}}


async def test_a_room_keeps_what_is_absent_and_loses_what_is_null(fixtures: Fixtures) -> None:
    analytics = {"google_tag_manager": {"container_id": "GTM-1", "enabled": True}}
    path = f"/rooms/{await fixtures.room(description='About it', analytics=analytics)}"
    before = await fixtures.get(path, fixtures.host)
    after = (await patch(fixtures, path, {"title": "Another title"})).check_success(
        CASES["PATCH /rooms/{id}"].operation
    )
    assert after["title"] == "Another title"
    assert without(after, "title") == without(before, "title")
    assert datetime.fromisoformat(after["updated_at"]) > datetime.fromisoformat(before["updated_at"])
    cleared = (await patch(fixtures, path, {"description": None, "analytics": None})).data
    assert (cleared["description"], cleared["analytics"]) == (None, None)
    assert await fixtures.get(path, fixtures.host) == cleared


@pytest.mark.parametrize("field", ["name", "type", "primary_color"])
async def test_a_preset_keeps_its_required_fields(fixtures: Fixtures, field: str) -> None:
    path = f"/presets/{await fixtures.preset()}"
    (await patch(fixtures, path, {field: None})).check_bad_fields(field)


async def test_a_room_keeps_its_title(fixtures: Fixtures) -> None:
    (await patch(fixtures, f"/rooms/{await fixtures.room()}", {"title": None})).check_bad_fields("title")


async def test_each_flag_of_a_preset_changes_by_itself(fixtures: Fixtures) -> None:
    path = f"/presets/{await fixtures.preset()}"
    before = await fixtures.get(path, fixtures.host)
    for flag, value in before.items():
        if not isinstance(value, bool):
            continue
        after = (await patch(fixtures, path, {flag: not value})).data
        assert after[flag] is not value, flag
        assert without(after, flag) == without(before, flag)
        before = after
    assert await fixtures.get(path, fixtures.host) == before


async def test_what_is_cleared_of_a_preset_goes_back_to_its_default(fixtures: Fixtures) -> None:
    preset = await fixtures.preset(logo="https://example.com/a.png", max_join_limit=3, stage_enabled=False)
    path = f"/presets/{preset}"
    data = (await patch(fixtures, path, dict.fromkeys(DEFAULTS))).data
    assert {name: data[name] for name in DEFAULTS} == DEFAULTS


async def test_overrides_of_a_session_fall_back_to_its_preset(fixtures: Fixtures) -> None:
    preset = await fixtures.preset(chat_enabled=True, stage_enabled=True, max_join_limit=5)
    session = await fixtures.session(preset=preset)
    path = f"/sessions/{session}"
    (await patch(fixtures, f"{path}/settings", {"chat_enabled": False, "max_join_limit": 2})).check_success(
        CASES["PATCH /sessions/{id}/settings"].operation
    )
    data = await fixtures.get(path)
    assert (data["chat_enabled_override"], data["effective_chat_enabled"]) == (False, False)
    assert (data["stage_enabled_override"], data["effective_stage_enabled"]) == (None, True)
    assert (data["max_join_limit_override"], data["effective_max_join_limit"]) == (2, 2)
    assert (await patch(fixtures, f"{path}/settings", {"chat_enabled": None})).status == 200
    data = await fixtures.get(path)
    assert (data["chat_enabled_override"], data["effective_chat_enabled"]) == (None, True)
    assert data["max_join_limit_override"] == 2


async def test_an_empty_change_changes_nothing(fixtures: Fixtures) -> None:
    for path in (f"/rooms/{await fixtures.room()}", f"/presets/{await fixtures.preset()}"):
        before = await fixtures.get(path, fixtures.host)
        after = (await patch(fixtures, path, {})).data
        assert without(after) == without(before)


@pytest.mark.parametrize("key", ["POST /rooms", "POST /presets", "PATCH /rooms/{id}", "PATCH /presets/{id}"])
async def test_unknown_fields_and_fields_of_ours_are_ignored(fixtures: Fixtures, key: str) -> None:
    prepared = await CASES[key].prepare(fixtures)
    ours = {"id": "x", "host_id": "x", "user_id": 7, "library_id": [], "created_at": None, "colour": "blue"}
    body = sample(operations()[key]) | ours
    answer = await fixtures.client.call(prepared.operation.method, prepared.path, prepared.token, body)
    answer.check_success(prepared.operation)
