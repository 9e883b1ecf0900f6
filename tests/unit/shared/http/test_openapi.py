"""The OpenAPI documents are valid and say what the routes do."""

from typing import Any

import pytest
from openapi_pydantic import OpenAPI

from shared.http.openapi import service_document
from shared.http.openapi_merge import merge_documents
from shared.http.routes import Routes
from tests.unit.shared.example_api import routes


@pytest.fixture
def document() -> dict[str, Any]:
    return service_document("api", list(routes))


def test_it_is_valid(document: dict[str, Any]) -> None:
    OpenAPI.model_validate(document)
    OpenAPI.model_validate(merge_documents([document]))


def test_every_reference_is_there(document: dict[str, Any]) -> None:
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for item in part for found in _references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for value in part.values() for found in _references(value)]


def test_an_operation_says_what_its_route_does(document: dict[str, Any]) -> None:
    operation = document["paths"]["/things"]["post"]
    assert operation["operationId"] == "make_thing"
    assert (operation["summary"], operation["description"]) == ("Make a thing", "It is kept.")
    assert (operation["tags"], operation["x-access"]) == (["ExampleApi"], "bearer")
    assert set(operation["responses"]) >= {"201", "401", "409", "413", "415", "422", "500"}
    assert [parameter["name"] for parameter in operation["parameters"]] == ["Idempotency-Key"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][body["$ref"].split("/")[-1]]
    assert (schema["required"], schema["properties"]["price"]["maximum"]) == (["title"], 100)


def test_data_has_every_field_always(document: dict[str, Any]) -> None:
    thing = document["components"]["schemas"]["Thing"]
    assert set(thing["required"]) == {"id", "title", "made_by"}


def test_parameters_are_told(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/things"]["get"]["parameters"]
    assert {(one["name"], one["in"], one["required"]) for one in parameters} == {
        ("page", "query", False),
        ("limit", "query", False),
    }
    (own,) = document["paths"]["/things/{id}"]["get"]["parameters"]
    assert (own["name"], own["in"], own["schema"]["format"]) == ("id", "path", "uuid")


def test_a_list_of_parameters_names_a_schema_of_the_document(document: dict[str, Any]) -> None:
    color = document["paths"]["/search"]["get"]["parameters"][0]["schema"]
    assert color["type"] == "array"
    name = color["items"]["$ref"].removeprefix("#/components/schemas/")
    assert document["components"]["schemas"][name]["enum"] == ["red", "blue"]


def test_what_is_internal_is_left_out(document: dict[str, Any]) -> None:
    assert not [path for path in document["paths"] if "internal" in path]


def test_what_is_of_a_library_is_told_twice(document: dict[str, Any]) -> None:
    merged = merge_documents([document, {"paths": {"/other": {}}, "components": {"schemas": {}}}])
    mirrored = {path for path in merged["paths"] if path.startswith("/libraries/")}
    assert mirrored == {"/libraries/{library_id}/things"}
    operation = merged["paths"]["/libraries/{library_id}/things"]["post"]
    assert operation["operationId"] == "make_thing_in_library"
    assert operation["parameters"][0]["name"] == "library_id"
    assert "404" in operation["responses"]
    ids = [one["operationId"] for path in merged["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))
    assert "/other" in merged["paths"]


def test_routes_keep_their_order() -> None:
    assert isinstance(routes, Routes)
    assert [route.path for route in routes][:2] == ["/things", "/things"]
