"""Whether all that one release writes can be read by another, by their JSON schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Compatibility:
    """`writer` and `reader` are the definitions that the schemas refer to."""

    writer: Schema
    reader: Schema

    def problems(self, written: Schema, read: Schema, path: str = "") -> Iterator[str]:
        """What could be written that cannot be read: nothing if the releases may run at the same time."""
        yield from self._problems(written, read, path, frozenset())

    def _problems(self, written: Schema, read: Schema, path: str, seen: frozenset[str]) -> Iterator[str]:
        reference = f"{written.get('$ref')}>{read.get('$ref')}"
        if reference in seen:
            return
        seen |= {reference} if "$ref" in written else frozenset()
        readable = _variants(_followed(read, self.reader), self.reader)
        for variant in _variants(_followed(written, self.writer), self.writer):
            tried = [list(self._variant(variant, one, path, seen)) for one in readable]
            if all(tried):
                yield from min(tried, key=len)

    def _variant(self, written: Schema, read: Schema, path: str, seen: frozenset[str]) -> Iterator[str]:
        if read.get("type") not in (None, written.get("type")) and not _is_widened(written, read):
            yield f"{path}: {written.get('type')} is written, {read.get('type')} is read"
            return
        if unknown := set(_values(written)) - set(_values(read)) if _values(read) else set():
            yield f"{path}: {sorted(map(str, unknown))} may be written and is not known"
        yield from self._properties(written, read, path, seen)
        for inner in ("items", "additionalProperties"):
            if isinstance(read.get(inner), Mapping) and isinstance(written.get(inner), Mapping):
                yield from self._problems(written[inner], read[inner], f"{path}[]", seen)

    def _properties(self, written: Schema, read: Schema, path: str, seen: frozenset[str]) -> Iterator[str]:
        fields = written.get("properties", {})
        always = set(written.get("required", ()))
        for name, field in read.get("properties", {}).items():
            if name in read.get("required", ()) and name not in always:
                yield f"{path}.{name} is required, and is not always written"
            elif name in fields:
                yield from self._problems(fields[name], field, f"{path}.{name}", seen)


def _followed(schema: Schema, definitions: Schema) -> Schema:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return schema


def _variants(schema: Schema, definitions: Schema) -> list[Schema]:
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if not alternatives:
        return [schema]
    return [
        variant for one in alternatives for variant in _variants(_followed(one, definitions), definitions)
    ]


def _values(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _is_widened(written: Schema, read: Schema) -> bool:
    return (written.get("type"), read.get("type")) == ("integer", "number")
