"""docs/settings.md: every setting of every service, made of the settings classes.

A setting's description is the string below it in its class.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from dataclasses import dataclass
from textwrap import dedent
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, cast, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import NoDecode

from services.attendance.settings import AttendanceSettings
from services.egress.settings import EgressSettings
from services.gateway.settings import GatewaySettings
from services.recorder.settings import RecorderSettings
from services.relay.settings import RelaySettings
from services.session.settings import SessionSettings
from shared.runtime.settings import ServiceSettings


@dataclass(frozen=True)
class DocumentedService:
    name: str
    settings: type[ServiceSettings]
    command: str
    needs: str


SERVICES: Final = (
    DocumentedService(
        "gateway",
        GatewaySettings,
        "greenroom serve gateway",
        "needs the three other services; Redis if there is more than one gateway.",
    ),
    DocumentedService(
        "session",
        SessionSettings,
        "greenroom serve session",
        """needs its database, RabbitMQ and LiveKit, the egress service, and the egress service's
storage for chat files. A mail server and Centrifugo are optional.""",
    ),
    DocumentedService(
        "egress",
        EgressSettings,
        "greenroom serve egress",
        """needs its database, RabbitMQ, LiveKit, the session service and a storage, and for
streams and RTMP either LiveKit Egress and LiveKit Ingress (`livekit`) or recorders and a relay
(`embedded`).""",
    ),
    DocumentedService(
        "attendance",
        AttendanceSettings,
        "greenroom serve attendance",
        "needs its database, RabbitMQ and the session service.",
    ),
    DocumentedService(
        "recorder",
        RecorderSettings,
        "greenroom serve recorder",
        """needs the egress service's database, its storage and its address, LiveKit, and a folder of
its own. It is for `GREENROOM_ENGINE=embedded`; [operations](operations/README.md#recorders) says how many
to run.""",
    ),
    DocumentedService(
        "relay",
        RelaySettings,
        "greenroom serve relay",
        """needs the egress service, LiveKit's key, and an RTMP server (nginx with its RTMP module)
that asks it by `on_connect`, `on_publish`, `on_play`, `on_update` and `on_publish_done`, under
`/rtmp/connect`, `/rtmp/publish`, `/rtmp/play`, `/rtmp/update` and `/rtmp/done`;
[rtmp.py](../deploy/rtmp.py) writes a whole configuration of nginx.
It is for `GREENROOM_INGEST=embedded`.""",
    ),
)

_TYPES: Final = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    dict: "JSON object",
    tuple: "JSON list",
}
_BOUNDS: Final = (("ge", "from"), ("gt", "above"), ("le", "to"))


def settings_document() -> bytes:
    common = list(ServiceSettings.model_fields)
    sections = [_section("All of them", FOR_ALL, ServiceSettings, common)]
    for service in SERVICES:
        own = [name for name in service.settings.model_fields if name not in common]
        text = f"`{service.command}` {service.needs}"
        sections.append(_section(service.name.capitalize(), text, service.settings, own))
    return (INTRODUCTION + "".join(sections)).encode()


def _section(title: str, text: str, settings: type[ServiceSettings], names: list[str]) -> str:
    described = descriptions(settings)
    rows = [
        _line([f"`GREENROOM_{name.upper()}`", *_cells(settings, name), described[name]]) for name in names
    ]
    heads = ["variable", "type", "default", "needed", "what it is"]
    return "\n".join([f"\n## {title}\n", text, "", _line(heads), _line(["---"] * 5), *rows]) + "\n"


def _cells(settings: type[ServiceSettings], name: str) -> list[str]:
    field = settings.model_fields[name]
    return [_type_of(field), _default_of(field), _needed(settings, name)]


def descriptions(settings: type[ServiceSettings]) -> dict[str, str]:
    """Setting -> the string below it, on one line."""
    found: dict[str, str] = {}
    for one in reversed(settings.__mro__):
        if issubclass(one, ServiceSettings):
            found |= _strings_in(one)
    return found


def _strings_in(one: type) -> dict[str, str]:
    parsed = cast(ast.ClassDef, ast.parse(dedent(inspect.getsource(one))).body[0])
    found = {}
    for statement, below in itertools.pairwise(parsed.body):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found


def _type_of(field: FieldInfo) -> str:
    kind, bounds = _without_none(field.annotation), list(field.metadata)
    while get_origin(kind) is not None and hasattr(kind, "__metadata__"):
        bounds += kind.__metadata__
        kind = get_args(kind)[0]
    if NoDecode in bounds:
        return "comma-separated list"
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    return " ".join([_TYPES.get(get_origin(kind) or kind, "text"), *_bounds_in(bounds)])


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in {Union, UnionType}:
        return next(part for part in get_args(kind) if part is not NoneType)
    return kind


def _bounds_in(metadata: list[Any]) -> list[str]:
    """In words; pydantic keeps them singly, or in a field of their own within an optional."""
    single = [part for one in metadata for part in (one.metadata if isinstance(one, FieldInfo) else [one])]
    found = []
    for name, word in _BOUNDS:
        found += [f"{word} {getattr(one, name):,}" for one in single if getattr(one, name, None) is not None]
    return found


def _default_of(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value is PydanticUndefined or value in ("", {}, ()):
        return ""
    return f"`{','.join(map(str, value)) if isinstance(value, tuple) else value}`"


def _needed(settings: type[ServiceSettings], name: str) -> str:
    if name in settings.needed:
        return "yes"
    if settings is ServiceSettings and name == "internal_secret":
        return "production; not by the recorder"
    return "production" if name in {*settings.secrets, "identity_public_keys"} else ""


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


INTRODUCTION: Final = """# Settings

Made from the settings classes (each `settings.py`) by `greenroom openapi`: do not edit.

Every service reads its settings from the environment, over the YAML file named by `GREENROOM_CONFIG` (there a
setting is called `port`, not `GREENROOM_PORT`), over the defaults below. In the environment a JSON object is
written as JSON: `GREENROOM_KEYRING='{"k1": "…"}'`. A service with invalid settings names them and exits.
*Needed* is `yes` if a service does not start without the setting, `production` if that holds with
`GREENROOM_ENVIRONMENT=production` only: secrets, passwords in URLs and secret options must then be hard to
guess, as zxcvbn estimates: sixteen random characters are, blanks, repetitions and defaults are not. What is
refused is named, and why, without its value.

`greenroom up` sets all of this for the local stack, except for what its own environment sets
([operations](operations/README.md#parts-of-your-own-beside-the-local-stack)). Elsewhere run at least one
gateway, session, egress and attendance service, more of each if needed, with MongoDB (a database for each
of the last three), RabbitMQ, Redis and LiveKit. The services' addresses default to 8001 (session), 8002
(egress) and 8003 (attendance) on the same machine; each listens on its own `GREENROOM_PORT`. Only the
gateway and LiveKit are reached by clients. `greenroom keys` generates keys
([security.md](operations/security.md#replacing-secrets-without-downtime)). Whole sets of settings are in
[compose.md](operations/compose.md), [kubernetes.md](operations/kubernetes.md) and
[processes.md](operations/processes.md).

LiveKit's own configuration needs these lines, with the key of `GREENROOM_LIVEKIT_API_KEY`:

```yaml
keys:
  <key>: <GREENROOM_LIVEKIT_API_SECRET>
redis:                    # needed for LiveKit Egress, LiveKit Ingress, or more than one LiveKit server
  address: <Redis>:6379
webhook:
  api_key: <key>
  urls:
    - http://<egress service>:8002/webhooks/livekit   # or the gateway's /webhooks/livekit
ingress:
  rtmp_base_url: rtmp://<LiveKit Ingress>/live   # GREENROOM_INGEST=livekit only
room:
  auto_create: false      # rooms are opened by the session service, when their sessions start
  enabled_codecs:         # without video/H265, which neither recorders nor most browsers decode
    [{mime: audio/PCMU}, {mime: audio/PCMA}, {mime: audio/opus}, {mime: audio/red}, {mime: video/VP8},
     {mime: video/H264}, {mime: video/VP9}, {mime: video/AV1}, {mime: video/rtx}]
```

LiveKit Egress and LiveKit Ingress are configured with the same `redis`, the same key and secret (`api_key`,
`api_secret`) and LiveKit's address (`ws_url`); through that Redis LiveKit finds them. LiveKit Egress writes
the files itself: to the bucket of `GREENROOM_STORAGE_URL`, or, if that is a directory, to the same directory,
which has to be mounted where LiveKit Egress runs, under the same path, and be writable for it.
"""

FOR_ALL: Final = (
    "Every service, the recorder and the relay have these. Tracing is set by OpenTelemetry's own variables "
    "(`OTEL_EXPORTER_OTLP_ENDPOINT`, …): [observability](operations/observability.md#traces)."
)
