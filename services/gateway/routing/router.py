"""From method and path to the operation: a trie over the segments of the table's paths."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.gateway.routing.table import Operation
from shared.http.masking import REMAINDER
from shared.http.openapi_merge import LIBRARY_PREFIX

# Masked paths show nothing of this length that is no id.
_ID_LENGTH: Final = 36


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation as reached by one path: its own, or its mirror under a library.

    `label` is its name in metrics, such as "GET /rooms/{id}".
    """

    operation: Operation
    template: str
    in_library: bool
    label: str = field(init=False)
    _session_at: int | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", f"{self.operation.method} {self.template}")
        before, found, _ = self.template.partition("/sessions/{")
        object.__setattr__(self, "_session_at", before.count("/") + 2 if found else None)

    def session_in(self, path: str) -> str | None:
        """The session that a path of this template names, as it may be logged: what is no id is cut off."""
        if self._session_at is None:
            return None
        named = path.split("/")[self._session_at]
        return named if len(named) == _ID_LENGTH else None


class _Node:
    __slots__ = ("endpoints", "literals", "parameter", "rest")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.rest: _Node | None = None
        self.endpoints: dict[str, Endpoint] = {}


class Router:
    """Literal segments win over parameters, the leftmost first; a parameter takes one non-empty segment.

    A parameter `{path:.+}` ends a path and takes all that is left of it, which wins over nothing else.
    A path whose most specific template lacks the method falls back to a less specific one that has it.
    """

    def __init__(self, operations: Iterable[Operation]):
        self._root = _Node()
        for operation in operations:
            self._add(Endpoint(operation, operation.path, in_library=False))
            if operation.mirrored:
                self._add(Endpoint(operation, LIBRARY_PREFIX + operation.path, in_library=True))

    def match(self, method: str, segments: Sequence[str]) -> Endpoint | None:
        """The endpoint for `segments`, the parts of a path that followed a slash each."""
        for node in _reached(self._root, segments, 0):
            endpoint = node.endpoints.get(method)
            if endpoint is not None:
                return endpoint
        return None

    def allowed(self, segments: Sequence[str]) -> list[str]:
        """The methods of this path, sorted; none if the path does not exist."""
        return sorted({method for node in _reached(self._root, segments, 0) for method in node.endpoints})

    def _add(self, endpoint: Endpoint) -> None:
        node = self._root
        for segment in endpoint.template.split("/")[1:]:
            node = _child(node, segment)
        method = endpoint.operation.method
        if method in node.endpoints:
            raise ValueError(f"{endpoint.label} is in the table twice")
        node.endpoints[method] = endpoint
        if method == "GET":
            node.endpoints["HEAD"] = endpoint


def _child(node: _Node, segment: str) -> _Node:
    if segment.endswith(REMAINDER):
        node.rest = node.rest or _Node()
        return node.rest
    if segment.startswith("{"):
        if node.parameter is None:
            node.parameter = _Node()
        return node.parameter
    return node.literals.setdefault(segment, _Node())


def _reached(node: _Node, segments: Sequence[str], index: int) -> Iterator[_Node]:
    """The nodes that all segments lead to, the most specific first."""
    if index == len(segments):
        if node.endpoints:
            yield node
        return
    segment = segments[index]
    literal = node.literals.get(segment)
    if literal is not None:
        yield from _reached(literal, segments, index + 1)
    if node.parameter is not None and segment:
        yield from _reached(node.parameter, segments, index + 1)
    if node.rest is not None and all(segments[index:]):
        yield node.rest
