"""values.yaml as its reader sees it: each value with its default and the comment above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import yaml


@dataclass(frozen=True)
class Value:
    """`children` are those of a value that is written out in lines of its own."""

    path: tuple[str, ...]
    default: Any
    comment: str
    children: tuple[Value, ...] = ()

    @property
    def name(self) -> str:
        return ".".join(self.path)

    def leaves(self) -> Iterator[Value]:
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def read_values(text: str) -> tuple[Value, ...]:
    lines = text.splitlines()
    return _children(cast(yaml.MappingNode, yaml.compose(text, yaml.SafeLoader)), (), lines)


def _children(node: yaml.MappingNode, path: tuple[str, ...], lines: Sequence[str]) -> tuple[Value, ...]:
    return tuple(_value(key, value, (*path, key.value), lines) for key, value in node.value)


def _value(key: yaml.Node, node: yaml.Node, path: tuple[str, ...], lines: Sequence[str]) -> Value:
    default = yaml.SafeLoader("").construct_document(node)
    block = isinstance(node, yaml.MappingNode) and not node.flow_style
    children = _children(node, path, lines) if block and isinstance(node, yaml.MappingNode) else ()
    return Value(path, default, _comment(lines[: key.start_mark.line]), children)


def _comment(lines: Sequence[str]) -> str:
    """The comment that ends these lines, on one line."""
    found: list[str] = []
    for line in map(str.strip, reversed(lines)):
        if not line.startswith("#"):
            break
        found.insert(0, line.removeprefix("#").strip())
    return " ".join(found)
