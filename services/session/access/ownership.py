"""Who may act on what: the rules that rooms, presets and sessions share."""

from typing import Protocol

from shared.access.identity import Caller
from shared.errors import Forbidden, NotFound


class Owned(Protocol):
    organization_id: str
    library_id: str

    @property
    def id(self) -> str: ...


class Hosted(Owned, Protocol):
    @property
    def host_id(self) -> str: ...


def require_library(thing: Owned, library_id: str | None) -> None:
    """Raises `NotFound` unless `thing` is in the library that the call is confined to."""
    if library_id is not None and thing.library_id != library_id:
        raise NotFound("Nothing has this id in this library")


def require_organization(thing: Owned, caller: Caller, library_id: str | None) -> None:
    """Raises `Forbidden` for viewers and `NotFound` if `thing` belongs to another organization."""
    if caller.hosting_organization() != thing.organization_id:
        raise NotFound("Nothing has this id")
    require_library(thing, library_id)


def is_host(thing: Hosted, caller: Caller) -> bool:
    """The host of it, or an API key of its organization."""
    by_key = caller.api_key_id is not None and caller.organization_id == thing.organization_id
    return by_key or caller.user_id == thing.host_id


def require_host(thing: Hosted, caller: Caller, library_id: str | None) -> None:
    """Raises as `require_organization`, and `Forbidden` for a colleague who does not host it."""
    require_organization(thing, caller, library_id)
    if not is_host(thing, caller):
        raise Forbidden("Only its host may do this", code="not_the_host")
