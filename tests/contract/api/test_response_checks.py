"""The response checks find the faults they are meant to find."""

from typing import Any

import pytest

from tests.contract.api.response_checks import faults

USER: dict[str, Any] = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "external_user_id": None,
    "organization_id": None,
    "email": "a@example.com",
    "username": "Anna",
    "role": "host",
    "is_active": True,
    "created_at": "2035-06-01T20:00:00.125Z",
}


def test_what_is_right_has_no_faults() -> None:
    assert faults("UserResponse", USER) == []
    assert faults({"users": ["UserResponse"], "total": "int64"}, {"users": [USER, USER], "total": 2}) == []
    assert faults(None, None) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "nope"),
        ("id", USER["id"].upper()),
        ("id", None),
        ("email", "a"),
        ("role", "admin"),
        ("is_active", 1),
        ("username", 7),
        ("created_at", "2035-06-01T20:00:00+00:00"),
        ("created_at", "2035-06-01 20:00:00Z"),
        ("created_at", 2064333600),
        ("extra", None),
    ],
)
def test_a_wrong_field_is_found(field: str, value: object) -> None:
    found = faults("UserResponse", USER | {field: value})
    assert len(found) == 1
    assert f"data.{field}" in found[0]


@pytest.mark.parametrize("field", USER)
def test_a_missing_field_is_found(field: str) -> None:
    without = {name: value for name, value in USER.items() if name != field}
    assert faults("UserResponse", without) == [f"data.{field} is missing"]


def test_faults_are_found_in_lists_and_deeper() -> None:
    listed = {"users": [USER, USER | {"role": 7}], "total": True}
    assert len(faults({"users": ["UserResponse"], "total": "integer"}, listed)) == 2
    assert faults(["uuid"], {}) == ["data is no list: {}"]
    assert faults(None, {}) == ["data is not null"]
