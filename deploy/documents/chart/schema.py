"""The chart's values.schema.json: values that are not in values.yaml are refused, as are unknown settings.

A value has the type of its default. Objects without content, and what Kubernetes defines, may hold anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode

from deploy.documents.chart.values import Value
from deploy.documents.settings import SERVICES
from shared.runtime.settings import ServiceSettings

Schema = dict[str, Any]

# Settings that the chart has values of its own for, or that are the same wherever it runs.
GIVEN_BY_THE_CHART: Final = frozenset(
    {
        *(
            "host",
            "port",
            "metrics_port",
            "spool",
            "session_url",
            "egress_url",
            "attendance_url",
            "public_url",
            "engine",
            "ingest",
        ),
        *("livekit_url", "livekit_api_url", "livekit_public_url", "livekit_api_key", "livekit_previous_keys"),
        *("mongodb_uri", "amqp_url", "redis_url", "rtmp_url", "storage_url", "storage_options"),
        *("smtp_url", "mail_from", "bootstrap_admin_email"),
        *("identity_public_keys", "identity_signing_kid", "keyring"),
    }
)

_ANYTHING: Final[Schema] = {}
_OBJECT: Final[Schema] = {"type": "object"}
_TEXTS: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}


def _url(*schemes: str) -> Schema:
    return {"type": "string", "pattern": f"^$|^({'|'.join(schemes)})://"}


def _choice(*choices: str) -> Schema:
    return {"enum": list(choices)}


# What the default does not say; the first that fits counts.
_SPECIAL: Final[tuple[tuple[str, Schema], ...]] = (
    ("publicUrl", _url("https?")),
    ("relay.publicUrl", _url("rtmps?")),
    ("livekit.apiUrl", _url("https?")),
    ("livekit.*rl", _url("wss?")),
    ("mongodb.*.uri", _url("mongodb", r"mongodb\+srv")),
    ("rabbitmq.url", _url("amqps?")),
    ("redis.url", _url("rediss?")),
    ("storage.url", _url("s3", "file")),
    ("storage.endpoint", _url("https?")),
    ("smtp.url", _url("smtp", "smtps", r"smtp\+starttls")),
    ("tracing.endpoint", _url("https?")),
    ("monitoring.prometheusRule.runbooksUrl", _url("https?")),
    ("image.pullPolicy", _choice("Always", "IfNotPresent", "Never")),
    ("*.service.type", _choice("ClusterIP", "NodePort", "LoadBalancer")),
    ("recorder.spool.when*", _choice("Retain", "Delete")),
    ("*.maxUnavailable", {"type": ["integer", "string"], "pattern": "^[0-9]+%$", "minimum": 0}),
    ("*.minReplicas", {"type": "integer", "minimum": 1}),
    ("*.port", {"type": "integer", "minimum": 1, "maximum": 65535}),
    ("*nnotations", _TEXTS),
    ("*abels", _TEXTS),
    ("*.nodeSelector", _TEXTS),
    ("*esources", _OBJECT),
    ("*ecurityContext", _OBJECT),
)


def schema(values: Sequence[Value]) -> bytes:
    document: Schema = {"$schema": "http://json-schema.org/draft-07/schema#", **_object(values)}
    # What Helm itself adds if the chart is part of another one.
    document["properties"]["global"] = _OBJECT
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _object(values: Sequence[Value]) -> Schema:
    properties = {value.path[-1]: _described(value) for value in values}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _described(value: Value) -> Schema:
    return ({"description": value.comment} if value.comment else {}) | _of(value)


def _of(value: Value) -> Schema:
    if value.path[-1] == "settings":
        return _settings(value.path)
    for pattern, special in _SPECIAL:
        if fnmatchcase(value.name, pattern):
            return special
    return _object(value.children) if value.children else _like(value.default)


def _like(default: object) -> Schema:
    match default:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer", "minimum": 0}
        case str():
            return {"type": "string"}
        case list():
            return {"type": "array"}
        case Mapping():
            return _OBJECT
    return _ANYTHING


def _settings(path: tuple[str, ...]) -> Schema:
    """Those of all, or of one service, that an operator may set."""
    named = {service.name: service.settings for service in SERVICES}
    settings = named[path[0]] if len(path) > 1 else ServiceSettings
    properties = settings.model_json_schema()["properties"]
    allowed = {
        name: _setting(field, properties[name])
        for name, field in settings.model_fields.items()
        if name not in GIVEN_BY_THE_CHART and not _secret(field)
    }
    return {"type": "object", "additionalProperties": False, "properties": allowed}


def _setting(field: FieldInfo, described: Schema) -> Schema:
    if NoDecode in field.metadata:  # comma-separated
        return {"type": "string"}
    return {key: value for key, value in described.items() if key not in {"title", "default"}}


def _secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))
