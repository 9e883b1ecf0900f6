"""The API, the events, permissions, settings, metrics and dashboards, made from what the code declares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson

from deploy.documents.metrics import metrics_document
from deploy.documents.permissions import permissions_document
from deploy.documents.settings import settings_document
from services.attendance.app import ALL_ROUTES as ATTENDANCE
from services.egress.app import ALL_ROUTES as EGRESS
from services.gateway.builtin.documents import public_document
from services.session.all_routes import ALL_ROUTES as SESSION
from shared.contracts.asyncapi import asyncapi_document
from shared.http.openapi import service_document
from shared.http.routes import Access, Route, Routes

_ROUTES_OF_SERVICES: Final = {"session": SESSION, "egress": EGRESS, "attendance": ATTENDANCE}


def documents() -> dict[str, bytes]:
    """The documents by file name: operations, events, who may do what, settings, metrics."""
    services = [service_document(name, _routes(tables)) for name, tables in _ROUTES_OF_SERVICES.items()]
    return {
        "openapi.json": _encoded(public_document(services)),
        "asyncapi.json": _encoded(asyncapi_document()),
        "permissions.md": permissions_document(_all_routes()),
        "settings.md": settings_document(),
        "operations/metrics.md": metrics_document(),
    }


def operations() -> bytes:
    """The services' public operations, one on each line: services/gateway/routing/operations.json."""
    lines = [
        orjson.dumps(
            {
                "service": service,
                "method": route.method,
                "path": route.path,
                "access": route.access,
                "mirrored": route.mirrored,
            }
            | ({"idempotent": True} if route.idempotent else {})
            | ({"secret": route.secret} if route.secret else {})
        ).decode()
        for service, tables in _ROUTES_OF_SERVICES.items()
        for route in _routes(tables)
        if route.access is not Access.INTERNAL
    ]
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def _all_routes() -> list[Route]:
    return [route for tables in _ROUTES_OF_SERVICES.values() for route in _routes(tables)]


def _routes(tables: Iterable[Routes]) -> list[Route]:
    return [route for table in tables for route in table]


def _encoded(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
