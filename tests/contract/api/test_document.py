"""The API document matches the contract, operation by operation."""

from typing import Any

import pytest
from openapi_pydantic import OpenAPI

from tests.contract.api.cases import Case, cases, name
from tests.contract.api.client import Client
from tests.contract.api.contract import LIBRARY_PREFIX, Spec, schemas
from tests.contract.api.response_checks import EXTENSIONS, OPTIONS, data_of

# What bodies and queries may have beyond the contract.
_OF_ROOMS: dict[str, Spec] = {
    "name": "string",
    "enabled": "boolean",
    "unlisted": "boolean",
    "preset_id": "uuid",
    "meta": "object",
    **OPTIONS,
}
ADDED_TO_BODIES: dict[str, dict[str, Spec]] = {
    "POST /rooms": _OF_ROOMS,
    "PATCH /rooms/{id}": _OF_ROOMS,
    "POST /presets": {"grid_video_fit": "fill|fit"},
    "PATCH /presets/{id}": {"grid_video_fit": "fill|fit"},
}
ADDED_TO_QUERIES = {
    "GET /sessions/{id}/attendance/export": {"excel"},
    "GET /rooms/my": {
        "name",
        "enabled",
        "preset_id",
        "created_after",
        "created_before",
        "join_from_after",
        "join_until_before",
        "cursor",
    },
    "GET /recordings/my": {"session_id", "room_id", "status", "cursor", "link_seconds", "own"},
}


@pytest.fixture(scope="module")
async def document(client: Client) -> dict[str, Any]:
    answer = await client.call("GET", "/openapi.json")
    assert answer.status == 200
    return dict(answer.body)


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, behind a reference or beside null."""
    if "anyOf" in schema:
        schema = next(option for option in schema["anyOf"] if option.get("type") != "null")
    if "$ref" in schema:
        return dict(document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    return schema


def compare(document: dict[str, Any], spec: Spec, schema: dict[str, Any], where: str) -> None:
    """Objects have the same fields, all the way down."""
    schema = resolved(document, schema)
    if isinstance(spec, str) and spec in schemas():
        spec = {**schemas()[spec], **EXTENSIONS.get(spec, {})}
    if isinstance(spec, list):
        compare(document, spec[0], schema["items"], f"{where}[]")
    if isinstance(spec, dict):
        fields = {field.rstrip("*"): inner for field, inner in spec.items()}
        assert schema["properties"].keys() == fields.keys(), where
        for field, inner in fields.items():
            compare(document, inner, schema["properties"][field], f"{where}.{field}")


async def test_it_is_a_valid_document(document: dict[str, Any]) -> None:
    OpenAPI.model_validate(document)


@pytest.mark.parametrize("case", cases(), ids=name)
async def test_an_operation_is_described_as_the_contract_has_it(document: dict[str, Any], case: Case) -> None:
    operation = case.operation
    described = document["paths"][operation.path][operation.method.lower()]
    mirror = LIBRARY_PREFIX + operation.path
    assert (
        mirror in document["paths"] and operation.method.lower() in document["paths"][mirror]
    ) == operation.mirrored
    answers = described["responses"][str(operation.status)]["content"]
    if operation.file:
        assert answers["*/*"] == {}
    else:
        described_data = answers["application/json"]["schema"]["properties"]["data"]
        compare(document, data_of(operation), described_data, "data")
    if operation.body:
        body = resolved(document, described["requestBody"]["content"]["application/json"]["schema"])
        compare(document, operation.body | ADDED_TO_BODIES.get(operation.key, {}), body, "body")
        assert sorted(body.get("required", [])) == sorted(operation.required)
    if operation.access == "public":
        assert not described.get("security")
    else:
        assert described["security"]


@pytest.mark.parametrize("case", cases(lambda operation: bool(operation.query)), ids=name)
async def test_its_query_is_described(document: dict[str, Any], case: Case) -> None:
    described = document["paths"][case.operation.path][case.operation.method.lower()]
    told = {
        one["name"]: one["schema"].get("default") for one in described["parameters"] if one["in"] == "query"
    }
    assert told.keys() == case.operation.query.keys() | ADDED_TO_QUERIES.get(case.key, set())
    for field, spec in case.operation.query.items():
        if "default" in spec:
            assert str(told[field]) == spec.rsplit(" ", 1)[1]
