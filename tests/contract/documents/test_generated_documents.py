"""The committed documents are those that the code makes."""

import json
from pathlib import Path

import pytest
from openapi_pydantic import OpenAPI

from deploy.documents import documents, operations
from deploy.documents.chart import CHART, chart_documents
from deploy.documents.dashboards import dashboards
from deploy.documents.settings import SERVICES, DocumentedService, descriptions
from services.gateway.routing.table import OPERATIONS

DOCS = Path(__file__).parents[3] / "docs"
DASHBOARDS = DOCS.parent / "deploy/helm/greenroom/files/dashboards"
MADE = ("openapi.json", "asyncapi.json", "permissions.md", "settings.md", "operations/metrics.md")


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return documents()


@pytest.mark.parametrize("name", MADE)
def test_the_committed_document_is_current(made: dict[str, bytes], name: str) -> None:
    assert (DOCS / name).read_bytes() == made[name], f"docs/{name} is stale: run `make openapi`"


def test_the_gateway_s_operations_are_current() -> None:
    assert OPERATIONS.read_bytes() == operations(), f"{OPERATIONS} is stale: run `make openapi`"


@pytest.mark.parametrize("name", ["README.md", "values.schema.json"])
def test_the_chart_s_documents_are_current(name: str) -> None:
    assert (CHART / name).read_bytes() == chart_documents()[name], f"{name} is stale: run `make openapi`"


def test_the_dashboards_are_current() -> None:
    committed = {path.name: path.read_bytes() for path in DASHBOARDS.glob("*.json")}
    assert committed == dashboards(), "the dashboards are stale: run `make openapi`"


@pytest.mark.parametrize("part", SERVICES, ids=lambda part: part.name)
def test_every_setting_says_what_it_is(part: DocumentedService) -> None:
    assert set(descriptions(part.settings)) == set(part.settings.model_fields)


def test_the_api_document_is_valid_openapi() -> None:
    document = OpenAPI.model_validate(json.loads((DOCS / "openapi.json").read_bytes()))
    assert document.openapi == "3.1.0"


def test_every_operation_is_named_once() -> None:
    paths = json.loads((DOCS / "openapi.json").read_bytes())["paths"]
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))
