"""Bodies made from the contract: a valid value for every field, and invalid ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.contract.api.contract import Operation, Spec, schemas

# An id that nothing has.
UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
# What operations beyond the published ones need to be understood at all.
BODIES_NEEDED: dict[str, dict[str, Any]] = {
    "POST /sessions/{id}/room/messages": {"message": "Hello"},
    "PATCH /room_codes/{code}": {"enabled": False},
}
QUERIES_NEEDED = {"DELETE /sessions/{id}/room/participants": {"role": "audience"}}
_LENGTH = re.compile(r"^string len (\d*)\.\.(\d*)$")
_LIST = re.compile(r"^string \((\d+)\.\.(\d+) of them, distinct\)$")
_RANGE = re.compile(r"^integer (\d+)\.\.(\d+)")


def sample(operation: Operation, **given: Any) -> dict[str, Any]:
    """A body with every field of the contract filled; `given` fields are taken as they are."""
    made = {name: _good(spec) for name, spec in operation.fields.items() if name not in given}
    return made | given


def _good(spec: Spec) -> Any:
    if isinstance(spec, str) and spec in schemas():
        return _good(schemas()[spec])
    if isinstance(spec, dict):
        return {name: _good(field) for name, field in spec.items()}
    if isinstance(spec, list):
        return _words(int(_limits(spec)[0]))
    examples = {
        "email": "somebody@example.com",
        "date-time": "2035-06-01T20:00:00Z",
        "boolean": True,
        "integer": 7,
        "uuid": UNKNOWN_ID,
    }
    if spec.startswith("string ^"):
        return "#12abEF"
    if spec.startswith("string"):
        return "Some words"
    numbers = _RANGE.match(spec)
    if numbers:
        return int(numbers[1])
    kind = spec.split(" ")[0]
    return examples[kind] if kind in examples else kind.split("|")[0]


def _limits(spec: list[str]) -> tuple[int, int]:
    """How few and how many there are in a list."""
    match = _LIST.match(spec[0])
    assert match, spec
    return int(match[1]), int(match[2])


def _words(number: int) -> list[str]:
    return [f"Words {index}" for index in range(number)]


def confused(spec: Spec) -> Any:
    """A value that is of the wrong type for the field."""
    return "not this" if isinstance(spec, list) else ["not", "this"]


@dataclass(frozen=True)
class BadField:
    """One thing that is wrong with a body: the path that is to be named, and the top field that has it."""

    path: str
    what: str
    value: Any

    @property
    def field(self) -> str:
        return self.path.split(".")[0]


def bad_values(operation: Operation) -> list[BadField]:
    """Every limit crossed and every type confused, one by one."""
    return [BadField(*bad) for name, spec in operation.fields.items() for bad in _bad(name, spec)]


def bad_rounds(operation: Operation) -> list[list[BadField]]:
    """The same in as few calls as it takes: in each round a field is bad in one way at most."""
    rounds: list[list[BadField]] = []
    for bad in bad_values(operation):
        free = (one for one in rounds if bad.field not in {other.field for other in one})
        one = next(free, None)
        if one is None:
            rounds.append(one := [])
        one.append(bad)
    return rounds


def _bad(path: str, spec: Spec) -> list[tuple[str, str, Any]]:
    if isinstance(spec, str) and spec in schemas():
        spec = schemas()[spec]
    if isinstance(spec, dict):
        inner = [
            (deeper, what, {name: value})
            for name, field in spec.items()
            for deeper, what, value in _bad(f"{path}.{name}", field)
        ]
        return [(path, "text", "text"), (path, "list", []), *inner]
    if isinstance(spec, list):
        return list(_bad_lists(path, *_limits(spec)))
    return [(path, what, value) for what, value in (*_wrong_types(spec), *_out_of_limits(spec))]


def _bad_lists(path: str, least: int, most: int) -> Iterator[tuple[str, str, Any]]:
    yield from ((path, "text", "Some words"), (path, "object", {"a": 1}), (path, "number", 7))
    yield path, f"{least - 1} of them", _words(least - 1)
    yield path, f"{most + 1} of them", _words(most + 1)
    yield path, "one twice", ["Some words", " Some words "]
    for what, value in (("a number in it", 7), ("a list in it", []), ("nothing in it", None), ("blank", " ")):
        yield f"{path}.1", what, ["Some words", value]


def _wrong_types(spec: str) -> list[tuple[str, Any]]:
    both = [("object", {"a": 1}), ("list", ["Some words"])]
    if spec.startswith("boolean"):
        return [*both, ("text", "true"), ("number", 1)]
    if spec.startswith("integer"):
        return [*both, ("text", "7"), ("boolean", True), ("fraction", 7.5)]
    return [*both, ("number", 7), ("boolean", True)]


def _out_of_limits(spec: str) -> list[tuple[str, Any]]:
    length, numbers = _LENGTH.match(spec), _RANGE.match(spec)
    if length:
        low = int(length[1] or 0)
        too_long = [(f"{int(high) + 1} long", "x" * (int(high) + 1)) for high in (length[2],) if high]
        return [(f"{low - 1} long", "x" * (low - 1)), *too_long]
    if numbers:
        low, high = int(numbers[1]), int(numbers[2])
        return [(f"{low - 1}", low - 1), (f"{high + 1}", high + 1)]
    if spec.startswith("string ^"):
        return [("a name", "blue"), ("short", "#12345"), ("long", "#1234567"), ("a line more", "#123456\n")]
    if "|" in spec:
        return [("another word", "other"), ("other case", spec.split("|")[0].upper())]
    return {
        "email": [("no address", "somebody"), ("two addresses", "a@example.com, b@example.com")],
        "uuid": [("no uuid", "nope")],
        "date-time": [
            ("no time", "tomorrow"),
            ("no zone", "2035-06-01T20:00:00"),
            ("no such day", "2035-02-30T20:00:00Z"),
        ],
    }.get(spec, [])
