"""Scopes of API keys for every documented operation: what lets its caller act takes more than `read`."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.ids import new_id
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.token_signing import FORMS, shown

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_bytes())
# A key with both is the one that all other tests use.
SCOPES = (["read"], ["write"])
# Fields whose value lets whoever has it do something.
CAPABILITIES = re.compile(r"(^|_)(token|secret|stream_key|code|password|rtmp(_setup)?|(whip|studio)_url)$")
# A public address of the studio, which signs nobody in.
HARMLESS = {"GET /sessions/{id}/share_urls": {"studio_url"}}


@dataclass(frozen=True)
class ScopedOperation:
    method: str
    path: str
    document: Any

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def needs(self) -> str:
        return str(self.document["x-scope"])


def scoped_operations() -> Iterator[ScopedOperation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if "x-scope" in operation:
                yield ScopedOperation(method.upper(), path, operation)


OPERATIONS = list(scoped_operations())


def field_names(schema: Any) -> Iterator[str]:
    """The names of all fields of a schema, however deep."""
    if isinstance(schema, list):
        for part in schema:
            yield from field_names(part)
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            yield from field_names(DOCUMENT["components"]["schemas"][name])
        for part in schema.values():
            yield from field_names(part)


@pytest.fixture(scope="module")
async def keys(fixtures: Fixtures) -> list[tuple[list[str], dict[str, str]]]:
    """A key of the host for each set of scopes."""
    return [
        (scopes, shown(await fixtures.admin.api_key(fixtures.host, scopes=scopes), "X-API-Key"))
        for scopes in SCOPES
    ]


def test_every_operation_with_credentials_has_a_scope() -> None:
    without = {
        operation["x-access"]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        if "x-scope" not in operation and operation["operationId"] != "health"
    }
    assert without == {"anonymous", "LiveKit signature", "proxy secret"}
    assert len(OPERATIONS) > 130


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.key)
async def test_a_key_calls_what_its_scopes_say(
    fixtures: Fixtures, keys: list[tuple[list[str], dict[str, str]]], operation: ScopedOperation
) -> None:
    # Nothing has these ids: whoever is let through finds nothing, and changes nothing.
    path = re.sub(r"\{\w+\}", new_id(), operation.path)
    for scopes, headers in keys:
        answer = await fixtures.client.call(operation.method, path, headers=headers)
        refused = answer.status == 403 and answer.body["code"] == "scope_missing"
        assert refused == (operation.needs not in scopes), (scopes, answer)


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.needs == "read"],
    ids=lambda operation: operation.key,
)
def test_reading_gives_no_capability(operation: ScopedOperation) -> None:
    assert operation.method == "GET"
    answered = field_names(operation.document["responses"]["200"])
    given = {name for name in answered if CAPABILITIES.search(name)}
    assert given <= HARMLESS.get(operation.key.replace("/libraries/{library_id}", ""), set())


@pytest.mark.parametrize("what", ["stage/token", "monitor"])
async def test_a_reading_key_gets_no_token_of_a_live_session(
    fixtures: Fixtures, keys: list[tuple[list[str], dict[str, str]]], what: str
) -> None:
    path = f"/sessions/{await fixtures.live_session()}/{what}"
    (_, reading), (_, writing) = keys
    for form in FORMS:
        headers = shown(reading["X-API-Key"], form)
        (await fixtures.client.call("GET", path, headers=headers)).check_refusal(403, "scope_missing")
        assert (await fixtures.client.call("HEAD", path, headers=headers)).status == 403
    assert (await fixtures.client.call("GET", path, headers=writing)).data["livekit_token"]
