"""This release and the last run at the same time: each reads what the other writes.

`<version>/` has the JSON schemas of the last release's events and stored documents: what it writes, and what
it needs to read. A field that has no default is needed.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.contract.events.test_samples import SAMPLES, again, sample_of
from tests.contract.releases.compatibility import Compatibility
from tests.contract.releases.schemas import FILES, schemas_of

LAST = Path(__file__).parent / "0.1.0"

# Enum values that the last release does not know: where they may be written, and why that does no harm.
KNOWN: dict[str, str] = {}


def last(file: str) -> dict[str, Any]:
    schemas: dict[str, Any] = json.loads((LAST / f"{file}.json").read_text())
    return schemas


def problems(writer: dict[str, Any], reader: dict[str, Any]) -> list[str]:
    """Of all that both know."""
    compatibility = Compatibility(writer["$defs"], reader["$defs"])
    common = writer["schemas"].keys() & reader["schemas"].keys()
    assert len(common) > 10
    return [
        problem
        for name in sorted(common)
        for problem in compatibility.problems(writer["schemas"][name], reader["schemas"][name], name)
        if problem not in KNOWN
    ]


@pytest.mark.parametrize("file", FILES)
def test_what_the_last_release_writes_is_read(file: str) -> None:
    assert problems(last(file), schemas_of(file)) == []


@pytest.mark.parametrize("file", FILES)
def test_the_last_release_reads_what_is_written(file: str) -> None:
    assert problems(schemas_of(file), last(file)) == []


@pytest.mark.parametrize("file", FILES)
def test_nothing_that_was_ever_published_or_stored_is_gone(file: str) -> None:
    assert last(file)["schemas"].keys() - schemas_of(file)["schemas"].keys() == set()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_last_release_reads_each_sample_as_it_is_written_now(path: Path) -> None:
    sample, schemas = again(sample_of(path)), last("events")
    schema = schemas["schemas"].get(sample["headers"]["ce-type"])
    if schema is not None:  # else nobody of that release consumes it
        Draft202012Validator({**schema, "$defs": schemas["$defs"]}).validate(sample["data"])


def changed(schemas: dict[str, Any], state: str, change: str) -> dict[str, Any]:
    """What the schemas would be after a change that must not happen."""
    schemas = copy.deepcopy(schemas)
    definition = schemas["$defs"][state]
    if change == "removed":
        del definition["properties"]["title"]
        definition["required"].remove("title")
    elif change == "required":
        definition["properties"]["new"] = {"type": "string"}
        definition["required"].append("new")
    elif change == "type":
        definition["properties"]["title"] = {"type": "integer"}
    else:
        schemas["$defs"]["SessionStatus"]["enum"].append("paused")
    return schemas


@pytest.mark.parametrize("change", ["removed", "type", "enum"])
def test_a_change_that_the_last_release_cannot_read_is_found(change: str) -> None:
    now = changed(schemas_of("events"), "SessionState", change)
    assert problems(now, last("events"))


@pytest.mark.parametrize("change", ["required", "type"])
def test_a_change_that_cannot_read_the_last_release_is_found(change: str) -> None:
    now = changed(schemas_of("events"), "SessionState", change)
    assert problems(last("events"), now)
