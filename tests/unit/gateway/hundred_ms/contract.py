"""What 100ms publishes."""

from pathlib import Path
from typing import Any, Final

import orjson

CONTRACT: Final = orjson.loads((Path(__file__).parents[3] / "contract" / "data" / "100ms.json").read_bytes())

# Fields that are not always there, beyond those of lists.
_OPTIONAL: Final = {
    "Room": {
        "recording",
        "key",
        "large_room",
        "size",
        "max_duration_seconds",
        "polls",
        "webhook",
    }
}


def check_fields(shown: dict[str, Any], schema: str, without: frozenset[str] = frozenset()) -> None:
    """All published fields are there and no others."""
    published = set(CONTRACT["schemas"][schema]) - without
    assert set(shown) <= published
    assert published - set(shown) <= _OPTIONAL.get(schema, set())


def published_operations() -> set[tuple[str, str]]:
    """Method and path."""
    return {(one["method"], one["path"].partition(" ")[0]) for one in CONTRACT["operations"]}
