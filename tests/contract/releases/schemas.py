"""JSON schemas of all events and stored aggregates of this release.

`python tests/contract/releases/schemas.py FOLDER` stores them, for the next release to be compared with.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from shared.contracts.registry import event_classes
from shared.persistence.repository import Repository

Schema = dict[str, Any]

FILES = ("events", "documents")
VALIDATION: Literal["validation"] = "validation"


def schemas_of(file: str) -> Schema:
    """`{"schemas": {name: schema}, "$defs": …}`. Required is what has no default."""
    classes = event_classes() if file == "events" else stored_classes()
    adapters = [(name, VALIDATION, TypeAdapter[Any](cls)) for name, cls in classes.items()]
    schemas, definitions = TypeAdapter.json_schemas(adapters)
    named = {str(name): schema for (name, _), schema in schemas.items()}
    return {"schemas": named, "$defs": definitions.get("$defs", {})}


def stored_classes() -> dict[str, Any]:
    """The aggregates by `<service>.<collection>`."""
    for service in ("session", "egress", "attendance"):
        importlib.import_module(f"services.{service}.app")
    return {
        f"{one.__module__.split('.')[1]}.{one.collection_name}": one.entity
        for one in sorted(Repository.__subclasses__(), key=lambda one: one.__module__)
        if one.__module__.startswith("services.")
    }


def store(folder: Path) -> None:
    for file in FILES:
        text = json.dumps(schemas_of(file), indent=1, sort_keys=True)
        (folder / f"{file}.json").write_text(text + "\n")


if __name__ == "__main__":
    store(Path(sys.argv[1]))
