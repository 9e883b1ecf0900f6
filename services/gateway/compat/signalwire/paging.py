"""Pages of SignalWire's lists: the page that a query asks for, and the links to its neighbours.

A page token holds where the page begins (the last item before it) and where those before it began, so that
paging is exact while items are created, with nothing stored here.
"""

import base64
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from services.gateway.compat.operations import ForeignRequest
from services.gateway.compat.rendering import respond
from services.gateway.compat.signalwire.errors import invalid
from shared.http import Query

_PREFIX: Final = "PA"
_CHECK_BYTES, _NUMBER_BYTES, _ID_BYTES = 4, 4, 16
# So many pages can be gone back by `prev`; a link must stay shorter than a request line may be.
_KEPT: Final = 100


class PageQuery(Query):
    """The parameters of every list."""

    page_number: Annotated[int, Field(ge=0, lt=2**31)] = 0
    page_size: Annotated[int, Field(ge=1, le=1000)] = 50
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class ListPage:
    """`starts` are the items that this page and the ones before it follow, its own last; none on the first.

    `path` and `filters` are those of the list.
    """

    number: int
    size: int
    starts: tuple[str, ...]
    path: str
    filters: tuple[tuple[str, str], ...]

    @property
    def cursor(self) -> str | None:
        """The item that this page follows, None for the first page."""
        return self.starts[-1] if self.number else None

    def links(self, base_url: str, next_cursor: str | None) -> dict[str, str]:
        """Absolute URLs; `next_cursor` is the last item of this page if more follow."""
        links = {
            "self": self._url(base_url, self.number, self.starts),
            "first": self._url(base_url, 0, ()),
        }
        if next_cursor is not None:
            links["next"] = self._url(base_url, self.number + 1, (*self.starts, next_cursor))
        before = self.starts[:-1]
        if self.number == 1 or before:
            links["prev"] = self._url(base_url, self.number - 1, before)
        return links

    def _url(self, base_url: str, number: int, starts: Sequence[str]) -> str:
        parameters = [*self.filters, ("page_number", str(number)), ("page_size", str(self.size))]
        if number:
            parameters.append(("page_token", _encode(self.path, self.filters, number, starts[-_KEPT:])))
        return f"{base_url}{self.path}?{urlencode(parameters)}"


def page_of(request: ForeignRequest, query: PageQuery) -> ListPage:
    """The page that is asked for; raises `InvalidRequest`."""
    filters = tuple(
        (name, value) for name, value in request.query.items() if name not in PageQuery.model_fields
    )
    starts: tuple[str, ...] = ()
    if query.page_number and query.page_token is None:
        raise invalid("page_token", "page_token_required", "is required when page_number is greater than 0")
    if query.page_token is not None:
        starts = _decode(request.path, filters, query.page_number, query.page_token)
    return ListPage(query.page_number, query.page_size, starts, request.path, filters)


def respond_with_page(
    request: ForeignRequest, page: ListPage, items: Iterable[Mapping[str, Any]], next_cursor: str | None
) -> web.Response:
    return respond({"links": page.links(request.base_url, next_cursor), "data": list(items)})


def _encode(path: str, filters: Iterable[tuple[str, str]], number: int, starts: Sequence[str]) -> str:
    packed = number.to_bytes(_NUMBER_BYTES) + b"".join(uuid.UUID(one).bytes for one in starts)
    return _PREFIX + base64.urlsafe_b64encode(_check(path, filters, packed) + packed).decode().rstrip("=")


def _decode(path: str, filters: Iterable[tuple[str, str]], number: int, token: str) -> tuple[str, ...]:
    """Raises `InvalidRequest` for a token that was not made for this page of this list."""
    try:
        text = token.removeprefix(_PREFIX)
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        data = b""
    check, packed = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
    starts = packed[_NUMBER_BYTES:]
    if check != _check(path, filters, packed) or packed[:_NUMBER_BYTES] != number.to_bytes(_NUMBER_BYTES):
        raise invalid("page_token", "page_token_is_invalid", "is invalid")
    return tuple(str(uuid.UUID(bytes=starts[at : at + _ID_BYTES])) for at in range(0, len(starts), _ID_BYTES))


def _check(path: str, filters: Iterable[tuple[str, str]], packed: bytes) -> bytes:
    """So that a token of another list, or with other filters, is noticed; it protects nothing."""
    named = f"{path}?{urlencode(sorted(filters))}".encode()
    return hashlib.blake2s(named + b"\0" + packed, digest_size=_CHECK_BYTES).digest()
