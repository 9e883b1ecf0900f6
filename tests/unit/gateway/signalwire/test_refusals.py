"""What is wrong with a request, in SignalWire's words."""

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from services.gateway.compat.calls import NativeError
from services.gateway.compat.signalwire.bodies import VideoRoomCreate, VideoRoomTokenCreate
from services.gateway.compat.signalwire.errors import render_error
from services.gateway.compat.signalwire.validation import read_body
from shared.errors import AppError, FieldError, InvalidRequest, NotFound, TooLarge
from tests.unit.gateway.signalwire.test_paging import asking


def refused(body: bytes, model: Any = VideoRoomCreate) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        read_body(replace(asking(), body=body), model)
    return [(error.field, error.code) for error in caught.value.errors]


def rendered(error: AppError) -> tuple[int, Any]:
    response = render_error(error)
    assert isinstance(response.body, bytes)
    return response.status, orjson.loads(response.body)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, ("name", "missing_required_parameter")),
        ({"name": ""}, ("name", "missing_required_parameter")),
        ({"name": "a b"}, ("name", "not_alphanumeric")),
        ({"name": "a\n"}, ("name", "not_alphanumeric")),
        ({"name": "a.b"}, ("name", "not_alphanumeric")),
        ({"name": "a" * 101}, ("name", "invalid_parameter")),
        ({"name": 7}, ("name", "not_a_string")),
        ({"name": "a", "display_name": "x" * 201}, ("display_name", "invalid_parameter")),
        ({"name": "a", "max_members": 0}, ("max_members", "invalid_parameter")),
        ({"name": "a", "max_members": 301}, ("max_members", "invalid_parameter")),
        ({"name": "a", "max_members": "many"}, ("max_members", "invalid_parameter")),
        ({"name": "a", "quality": "480p"}, ("quality", "unsupported_option")),
        ({"name": "a", "layout": "mosaic"}, ("layout", "unsupported_option")),
        ({"name": "a", "join_from": "soon"}, ("join_from", "not_a_datetime")),
        ({"name": "a", "remove_at": 12}, ("remove_at", "not_a_datetime")),
        ({"name": "a", "remove_at": "1700000000"}, ("remove_at", "not_a_datetime")),
        ({"name": "a", "join_until": "2030-13-01"}, ("join_until", "not_a_datetime")),
        ({"name": "a", "join_until": "2030-12-01T25:00:00Z"}, ("join_until", "not_a_datetime")),
        (
            {"name": "a", "remove_after_seconds_elapsed": 200_001},
            ("remove_after_seconds_elapsed", "invalid_parameter"),
        ),
        ({"name": "a", "record_on_start": "yes"}, ("record_on_start", "not_a_boolean")),
        ({"name": "a", "meta": "x"}, ("meta", "not_a_hash")),
        ({"name": "a", "meta": [1]}, ("meta", "not_a_hash")),
        ({"name": "a", "meta": {"a": 2**64}}, ("meta", "invalid_parameter")),
        ({"name": "a", "meta": {"a": "x" * 2000}}, ("meta", "invalid_parameter")),
    ],
)
def test_a_bad_room_is_refused_by_attribute_and_code(
    fields: dict[str, object], error: tuple[str, str]
) -> None:
    assert refused(json.dumps(fields).encode()) == [error]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, ("room_name", "missing_required_parameter")),
        ({"room_name": "a", "permissions": ["room.fly"]}, ("permissions", "list_contains_invalid_entries")),
        ({"room_name": "a", "permissions": "room.lock"}, ("permissions", "invalid_list_items")),
        ({"room_name": "a", "join_as": "ghost"}, ("join_as", "unsupported_option")),
        ({"room_name": "a", "media_allowed": "none"}, ("media_allowed", "unsupported_option")),
        (
            {"room_name": "a", "remove_after_seconds_elapsed": 0},
            ("remove_after_seconds_elapsed", "invalid_parameter"),
        ),
        ({"room_name": "a", "user_name": "u" * 101}, ("user_name", "invalid_parameter")),
    ],
)
def test_a_bad_token_is_refused_by_attribute_and_code(
    fields: dict[str, object], error: tuple[str, str]
) -> None:
    assert refused(orjson.dumps(fields), VideoRoomTokenCreate) == [error]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"{'name': 1}"])
def test_what_is_no_json_is_refused_without_an_attribute(body: bytes) -> None:
    assert refused(body) == [("", "not_a_valid_json")]


def test_a_body_that_is_no_object_is_no_hash() -> None:
    assert refused(b"[1]") == [("", "not_a_hash")]


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refused(b'{"name": "a b", "quality": 1, "max_members": 0}')) == 3


def test_errors_are_rendered_as_published() -> None:
    status, body = rendered(InvalidRequest([FieldError("name", "not_alphanumeric", "is bad")]))
    assert status == 422
    assert body == {
        "errors": [
            {
                "type": "validation_error",
                "code": "not_alphanumeric",
                "message": "is bad",
                "attribute": "name",
                "url": "https://developer.signalwire.com/rest/overview/error-codes/#not_alphanumeric",
            }
        ]
    }
    _, body = rendered(InvalidRequest([FieldError("", "not_a_valid_json", "is not valid JSON")]))
    assert body["errors"][0]["attribute"] is None


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (NotFound("No"), 404, "Not Found"),
        (NativeError(403, "scope_missing", "No"), 403, "Forbidden"),
        (NativeError(403, "not_the_host", "No"), 404, "Not Found"),
        (TooLarge("No"), 413, "Request Entity Too Large"),
        (NativeError(503, "unavailable", "No", headers={"Retry-After": "1"}), 503, "Service Unavailable"),
        (AppError("No"), 500, "Internal Server Error"),
    ],
)
def test_other_refusals_say_the_status_alone(error: AppError, status: int, reason: str) -> None:
    assert rendered(error) == (status, {"error": reason})


@pytest.mark.parametrize(
    ("error", "attribute", "code"),
    [
        (NativeError(409, "room_name_taken", "No"), "name", "not_unique_within_project"),
        (NativeError(403, "join_closed", "No"), "join_until", "invalid_join_until_date"),
        (NativeError(409, "session_live", "A session of this room is live"), None, "invalid_parameter"),
        (
            NativeError(422, "validation_failed", "No", [FieldError("title", "x", "y")]),
            "display_name",
            "invalid_parameter",
        ),
        (
            NativeError(422, "validation_failed", "No", [FieldError("join_until", "x", "y")]),
            "join_until",
            "invalid_join_until_date",
        ),
        (
            NativeError(422, "validation_failed", "No", [FieldError("metadata", "x", "y")]),
            "meta",
            "invalid_parameter",
        ),
    ],
)
def test_a_service_s_complaints_are_translated(error: NativeError, attribute: str | None, code: str) -> None:
    status, body = rendered(error)
    assert status == 422
    assert [(one["attribute"], one["code"]) for one in body["errors"]] == [(attribute, code)]
