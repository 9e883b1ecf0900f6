"""Pages of 100ms's lists: `{"limit", "data", "last"}`."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from services.gateway.compat.hundred_ms.schemas import BeamStatus
from services.gateway.compat.rendering import respond
from shared.http import Query
from shared.http.schema import Id
from shared.ids import is_id

DEFAULT_LIMIT: Final = 10

Limit = Annotated[int, Field(ge=10, le=100)]


class ListQuery(Query):
    """The parameters of every list; `start` is the `last` of the page before."""

    limit: Limit = DEFAULT_LIMIT
    start: Id | None = None


class BeamListQuery(ListQuery):
    """A page of recordings, their files, or streams."""

    room_id: str | None = None
    session_id: str | None = None
    status: BeamStatus | None = None

    @property
    def matches_nothing(self) -> bool:
        return matches_nothing(self.room_id, self.session_id)

    @property
    def native(self) -> dict[str, str | int | None]:
        """What native lists take of it: an API key alone would see all its organization's."""
        return {
            "room_id": self.room_id,
            "session_id": self.session_id,
            "own": True,
            "limit": self.limit,
            "cursor": self.start,
        }


def respond_with_page(
    items: Sequence[Any], next_cursor: str | None, limit: int = DEFAULT_LIMIT
) -> web.Response:
    """`last` is the id of the last item, empty if nothing follows it."""
    return respond({"limit": limit, "data": items, "last": next_cursor or ""})


def matches_nothing(*ids: str | None) -> bool:
    """Whether one of the ids that are filtered by cannot be one of ours."""
    return any(id is not None and not is_id(id) for id in ids)
