"""Who may act on what: the rules that rooms, presets and sessions share."""

from datetime import datetime
from typing import Protocol, TypeVar

from shared.access.identity import Caller
from shared.errors import Forbidden, NotFound
from shared.persistence.repository import Aggregate, Repository


class Owned(Aggregate, Protocol):
    organization_id: str
    library_id: str


class Hosted(Owned, Protocol):
    created_at: datetime

    @property
    def host_id(self) -> str: ...


T = TypeVar("T", bound=Owned)
H = TypeVar("H", bound=Hosted)


def is_of_own(viewer: Caller | None, thing: Owned) -> bool:
    """Whether the viewer hosts for the organization that has the thing; its customers' people do not."""
    return viewer is not None and viewer.hosts_for(thing.organization_id)


async def get_in_library(things: Repository[T], id: str, library_id: str | None) -> T:
    """The thing for anybody who knows its id; raises `NotFound` if it is not in the library of the call."""
    thing = await things.find(id)
    if thing is None or library_id not in {None, thing.library_id}:
        raise NotFound.of(things.noun)
    return thing


async def get_for_host(things: Repository[H], id: str, caller: Caller, library_id: str | None) -> H:
    """The thing, if the caller hosts it, or is an API key of its organization.

    Raises `Forbidden` for viewers and for a colleague who does not host it, and `NotFound` for another
    organization.
    """
    organization_id = caller.hosting_organization()
    thing = await get_in_library(things, id, library_id)
    if thing.organization_id != organization_id:
        raise NotFound.of(things.noun)
    if caller.api_key_id is None and caller.user_id != thing.host_id:
        raise Forbidden("Only its host may do this", code="not_the_host")
    return thing
