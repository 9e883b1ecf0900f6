"""The route table against what the services declare: neither has a line that the other lacks."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache

import pytest

import services.attendance
import services.egress
import services.session
from services.gateway.app import builtin_operations
from services.gateway.builtin.documents import public_document
from services.gateway.routing.table import TABLE, Operation, Upstream
from services.gateway.upstreams.pools import Upstreams
from shared.http.masking import REMAINDER
from shared.http.openapi import service_document
from shared.http.openapi_merge import LIBRARY_PREFIX
from shared.http.openapi_parts import Document
from shared.http.routes import Access, Route, Routes
from shared.runtime.health import Health

_PACKAGES = {
    Upstream.SESSION: services.session,
    Upstream.EGRESS: services.egress,
    Upstream.ATTENDANCE: services.attendance,
}

# A process that only the RTMP server beside it asks.
_OF_ITS_OWN = "services.relay."


def _declared(upstream: Upstream) -> Iterator[Route]:
    """Every route in every `routes` module of the service."""
    package = _PACKAGES[upstream]
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name.rpartition(".")[2] != "routes" or module.name.startswith(_OF_ITS_OWN):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Routes):
                yield from value


@pytest.mark.parametrize("upstream", _PACKAGES)
def test_the_table_lists_what_the_service_declares(upstream: Upstream) -> None:
    listed = {
        (line.method, line.path): (line.access, line.mirrored, line.idempotent)
        for line in TABLE
        if line.upstream is upstream
    }
    declared = {
        (route.method, route.path): (route.access, route.mirrored, route.idempotent)
        for route in _declared(upstream)
        if route.access is not Access.INTERNAL
    }
    assert listed == declared


@pytest.mark.parametrize("upstream", _PACKAGES)
def test_internal_operations_lie_under_internal(upstream: Upstream) -> None:
    for route in _declared(upstream):
        assert route.path.startswith("/internal/") is (route.access is Access.INTERNAL), route.path


async def test_the_gateway_answers_what_it_lists_as_its_own() -> None:
    upstreams = Upstreams({}, connections=1)
    listed = {line.path for line in TABLE if line.upstream is Upstream.GATEWAY}
    assert listed == set(builtin_operations(upstreams, Health()))


@pytest.mark.parametrize("line", TABLE, ids=lambda line: f"{line.method} {line.path}")
def test_what_the_document_says_is_what_the_table_has(line: Operation) -> None:
    # Documents know no parameter that takes the rest of a path.
    path = line.path.replace(REMAINDER, "}")
    documented = _document()["paths"].get(path, {}).get(line.method.lower())
    if line.upstream is Upstream.GATEWAY and line.path != "/health":
        assert documented is None
        return
    assert documented["x-access"] == line.access.value
    mirror = _document()["paths"].get(LIBRARY_PREFIX + path, {})
    assert (line.method.lower() in mirror) is line.mirrored


@cache
def _document() -> Document:
    return public_document([service_document(name, list(_declared(name))) for name in _PACKAGES])


# Parameters that are no id, and no secret either.
_PLAIN = {"asset", "connection", "participant_identity"}


@pytest.mark.parametrize("upstream", _PACKAGES)
def test_what_a_path_has_beside_ids_is_declared_secret_and_so_is_it_in_the_table(upstream: Upstream) -> None:
    listed = {(line.method, line.path): line.secret for line in TABLE}
    for route in _declared(upstream):
        names = {name.partition(":")[0] for name in re.findall(r"{([^}]*)}", route.path)}
        beside = {name for name in names - _PLAIN if name != "id" and not name.endswith("_id")}
        assert set(route.secret) == beside, route.path
        assert listed.get((route.method, route.path), route.secret) == route.secret
