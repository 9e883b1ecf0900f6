"""The router against a model that tries every template."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.routing.router import Router
from services.gateway.routing.table import LIVEKIT_WEBHOOKS, TABLE, Operation, Upstream, reachable
from shared.http.openapi_merge import LIBRARY_PREFIX
from shared.http.routes import PUBLIC

_SEGMENTS = st.sampled_from(["a", "b", "c", "{x}"])
_TEMPLATES = st.lists(_SEGMENTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
_OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["GET", "POST", "PATCH"]), _TEMPLATES), unique=True, max_size=12
)
_PATHS = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), min_size=1, max_size=5)


def _operation(method: str, path: str) -> Operation:
    return Operation(method, path, Upstream.SESSION, PUBLIC)


def _fits(template: str, segments: list[str]) -> bool:
    parts = template.split("/")[1:]
    return len(parts) == len(segments) and all(
        part == segment or (part.startswith("{") and segment != "")
        for part, segment in zip(parts, segments, strict=True)
    )


def _specificity(template: str) -> list[bool]:
    return [part.startswith("{") for part in template.split("/")[1:]]


@given(_OPERATIONS, st.sampled_from(["GET", "POST", "PATCH", "DELETE"]), _PATHS)
def test_agrees_with_trying_every_template(
    declared: list[tuple[str, str]], method: str, segments: list[str]
) -> None:
    router = Router(_operation(*each) for each in declared)
    fitting = [(m, t) for m, t in declared if _fits(t, segments)]
    right = sorted((t for m, t in fitting if m == method), key=_specificity)
    found = router.match(method, segments)
    assert (found.template if found else None) == (right[0] if right else None)
    methods = {m for m, _ in fitting}
    assert router.allowed(segments) == sorted(methods | ({"HEAD"} if "GET" in methods else set()))


@pytest.mark.parametrize("operation", TABLE, ids=lambda each: f"{each.method} {each.path}")
def test_every_line_of_the_table_is_reached_by_its_own_path(operation: Operation) -> None:
    router = Router(TABLE)
    segments = operation.path.split("/")[1:]
    filled = ["0190b5b0-7c5c-7000-8000-000000000001" if "{" in part else part for part in segments]
    found = router.match(operation.method, filled)
    assert found is not None
    assert found.operation is operation
    mirror = router.match(operation.method, ["libraries", "some-library", *filled])
    assert (mirror is not None) is operation.mirrored
    if mirror is not None:
        assert mirror.in_library
        assert mirror.template == LIBRARY_PREFIX + operation.path


def test_a_method_falls_back_to_a_less_specific_template() -> None:
    router = Router([_operation("GET", "/rooms/my"), _operation("PATCH", "/rooms/{id}")])
    found = router.match("PATCH", ["rooms", "my"])
    assert found is not None
    assert found.template == "/rooms/{id}"


def test_head_is_for_every_get() -> None:
    router = Router(TABLE)
    for operation in TABLE:
        segments = operation.path.split("/")[1:]
        assert (router.match("HEAD", segments) is not None) is ("GET" in router.allowed(segments))


def test_the_same_operation_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Router(itertools.repeat(_operation("GET", "/rooms"), 2))


def test_nothing_internal_is_in_the_table() -> None:
    router = Router(TABLE)
    assert not [operation for operation in TABLE if operation.path.startswith("/internal")]
    assert router.allowed(["internal", "api-keys", "exchange"]) == []


def test_livekit_s_door_can_be_shut() -> None:
    door = LIVEKIT_WEBHOOKS.split("/")[1:]
    assert Router(reachable(livekit_webhooks=True)).match("POST", door) is not None
    shut = Router(reachable(livekit_webhooks=False))
    assert shut.allowed(door) == []
    assert reachable(livekit_webhooks=True) == TABLE
    assert len(reachable(livekit_webhooks=False)) == len(TABLE) - 1
