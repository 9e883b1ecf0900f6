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

from deploy.settings_words import FOR_ALL, INTRODUCTION, NEEDS
from services.attendance.settings import AttendanceSettings
from services.egress.settings import EgressSettings
from services.gateway.settings import GatewaySettings
from services.recorder.settings import RecorderSettings
from services.relay.settings import RelaySettings
from services.session.settings import SessionSettings
from shared.runtime.settings import ServiceSettings


@dataclass(frozen=True)
class Part:
    name: str
    settings: type[ServiceSettings]
    command: str


PARTS: Final = (
    Part("gateway", GatewaySettings, "python -m services.gateway"),
    Part("session", SessionSettings, "python -m services.session"),
    Part("egress", EgressSettings, "python -m services.egress"),
    Part("attendance", AttendanceSettings, "python -m services.attendance"),
    Part("recorder", RecorderSettings, "greenroom recorder"),
    Part("relay", RelaySettings, "python -m services.relay"),
)

_TYPES: Final = {int: "whole number", float: "number", bool: "true or false", dict: "JSON object"}
_BOUNDS: Final = (("ge", "from"), ("gt", "above"), ("le", "to"))


def settings_document() -> bytes:
    common = _section("All of them", FOR_ALL, ServiceSettings, list(ServiceSettings.model_fields))
    return (INTRODUCTION + common + "".join(map(_part, PARTS))).encode()


def _part(part: Part) -> str:
    own = [name for name in part.settings.model_fields if name not in ServiceSettings.model_fields]
    words = f"`{part.command}` {NEEDS[part.name]}"
    return _section(part.name.capitalize(), words, part.settings, own)


def _section(title: str, words: str, settings: type[ServiceSettings], names: list[str]) -> str:
    told = descriptions(settings)
    rows = [_line([f"`GREENROOM_{name.upper()}`", *_cells(settings, name), told[name]]) for name in names]
    heads = ["variable", "type", "default", "needed", "what it is"]
    return "\n".join([f"\n## {title}\n", words, "", _line(heads), _line(["---"] * 5), *rows]) + "\n"


def _cells(settings: type[ServiceSettings], name: str) -> list[str]:
    field = settings.model_fields[name]
    return [_type_of(field), _default_of(field), _needed(settings, name)]


def descriptions(settings: type[ServiceSettings]) -> dict[str, str]:
    """Setting -> the string below it, on one line."""
    told: dict[str, str] = {}
    for one in reversed(settings.__mro__):
        if issubclass(one, ServiceSettings):
            told |= _strings_in(one)
    return told


def _strings_in(one: type) -> dict[str, str]:
    parsed = cast(ast.ClassDef, ast.parse(dedent(inspect.getsource(one))).body[0])
    told = {}
    for statement, below in itertools.pairwise(parsed.body):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                told[name] = " ".join(text.split())
    return told


def _type_of(field: FieldInfo) -> str:
    kind, bounds = _without_none(field.annotation), list(field.metadata)
    while get_origin(kind) is not None and hasattr(kind, "__metadata__"):
        bounds += kind.__metadata__
        kind = get_args(kind)[0]
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
