"""The contract as data: its operations and schemas, as far as they exist now."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Spec = Any  # the contract's type language: text, [spec], {field: spec}

_FILE = Path(__file__).parents[1] / "data" / "vidinfra-live.json"
LIBRARY_PREFIX = "/libraries/{library_id}"


@dataclass(frozen=True)
class Operation:
    """One operation; `body` and `data` are resolved to their fields. `file`: it answers with a file."""

    method: str
    path: str
    access: str
    status: int
    mirrored: bool
    body: dict[str, Spec]
    data: Spec
    query: dict[str, str]
    file: bool

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def takes_id(self) -> bool:
        return "{id}" in self.path

    @property
    def required(self) -> list[str]:
        return [name.rstrip("*") for name in self.body if name.endswith("*")]

    @property
    def fields(self) -> dict[str, Spec]:
        """The body's fields without their marks."""
        return {name.rstrip("*"): spec for name, spec in self.body.items()}


@cache
def schemas() -> dict[str, Any]:
    return dict(_document()["schemas"])


@cache
def operations() -> dict[str, Operation]:
    """Every operation of the contract by its key, such as `GET /rooms/{id}`."""
    read = [_operation(entry) for entry in _document()["operations"]]
    return {operation.key: operation for operation in read}


@cache
def extensions() -> dict[str, Operation]:
    """What exists beyond the published operations, by its key."""
    read = [_operation({"status": 200} | entry) for entry in _document()["extensions"]]
    return {operation.key: operation for operation in read}


@cache
def _document() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text()))


def _operation(entry: dict[str, Any]) -> Operation:
    body = entry.get("body", {})
    return Operation(
        method=entry["method"],
        path=entry["path"],
        access=entry["access"],
        status=entry["status"],
        mirrored=entry.get("library_scoped", False),
        body=_document()["schemas"][body] if isinstance(body, str) else body,
        data=entry.get("data"),
        query=entry.get("query", {}),
        file="file" in entry.get("note", "").split(";")[0],
    )
