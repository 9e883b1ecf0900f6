"""Roles: those of every template. A host of 100ms's is a host or co-host here, a guest is on stage."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

RoleName: TypeAlias = Literal["host", "moderator", "guest", "audience"]

# What somebody can be made first.
NATIVE_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "host": ("co_host", "host"),
    "moderator": ("moderator",),
    "guest": ("stage",),
    "audience": ("audience",),
}
_SHOWN: Final = {native: role for role, natives in NATIVE_ROLES.items() for native in natives}


def shown_role(native: str) -> str:
    return _SHOWN[native]
