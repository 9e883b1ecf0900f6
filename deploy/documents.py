"""The API, the events, the permissions and the settings as documents, made from what the code declares."""

from __future__ import annotations

from typing import Any

import orjson

from deploy.permission_table import permissions_document
from deploy.settings_table import settings_document
from services.attendance.app import TABLES as ATTENDANCE
from services.egress.app import TABLES as EGRESS
from services.gateway.builtin.documents import public_document
from services.session.tables import TABLES as SESSION
from shared.contracts.asyncapi import asyncapi_document
from shared.http.openapi import service_document


def documents() -> dict[str, bytes]:
    """The documents by file name: all operations, all events, who may do what, all settings."""
    tables = {"session": SESSION, "egress": EGRESS, "attendance": ATTENDANCE}
    services = [
        service_document(name, [route for table in declared for route in table])
        for name, declared in tables.items()
    ]
    return {
        "openapi.json": _encoded(public_document(services)),
        "asyncapi.json": _encoded(asyncapi_document()),
        "permissions.md": permissions_document(),
        "settings.md": settings_document(),
    }


def _encoded(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
