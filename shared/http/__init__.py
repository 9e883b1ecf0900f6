"""HTTP as every service speaks it: routes declared from types, one envelope, one rendering of refusals."""

from shared.http.app import service_app
from shared.http.reply import Bare, Reply, created, ok
from shared.http.request import Request
from shared.http.routes import (
    ADMIN,
    ANONYMOUS,
    BEARER,
    HOST,
    INTERNAL,
    MODERATOR,
    PROXY,
    PUBLIC,
    READ,
    SIGNED,
    WRITE,
    Access,
    Routes,
)
from shared.http.schema import BareData, Body, Data, Query

__all__ = [
    "ADMIN",
    "ANONYMOUS",
    "BEARER",
    "HOST",
    "INTERNAL",
    "MODERATOR",
    "PROXY",
    "PUBLIC",
    "READ",
    "SIGNED",
    "WRITE",
    "Access",
    "Bare",
    "BareData",
    "Body",
    "Data",
    "Query",
    "Reply",
    "Request",
    "Routes",
    "created",
    "ok",
    "service_app",
]
