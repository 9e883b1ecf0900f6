"""Pages, their tokens and links."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from multidict import MultiDict, MultiDictProxy
from yarl import URL

from services.gateway.compat.calls import NativeCalls
from services.gateway.compat.operations import ForeignRequest
from services.gateway.compat.signalwire.paging import ListPage, PageQuery, page_of
from services.gateway.compat.signalwire.validation import read_query
from shared.errors import InvalidRequest
from shared.ids import new_id

BASE = "https://video.example.com"


def asking(query: str = "", path: str = "/api/video/rooms") -> ForeignRequest:
    return ForeignRequest(
        native=cast(NativeCalls, None),
        viewer=None,
        base_url=BASE,
        path=path,
        parameters={},
        query=URL("/?" + query, encoded=True).query,
        body=b"",
    )


def page(query: str = "", path: str = "/api/video/rooms") -> ListPage:
    request = asking(query, path)
    return page_of(request, read_query(request, PageQuery))


def at(link: str) -> ListPage:
    """The page that a link leads to."""
    url = urlsplit(link)
    assert f"{url.scheme}://{url.netloc}" == BASE
    return page(url.query, url.path)


def walk(items: Sequence[str], size: int) -> list[ListPage]:
    """All pages of a list, newest first, by following `next`."""
    pages, current = [], page(f"page_size={size}")
    while True:
        pages.append(current)
        start = items.index(current.cursor) + 1 if current.cursor else 0
        shown = items[start : start + size]
        more = start + size < len(items)
        links = current.links(BASE, shown[-1] if more else None)
        if "next" not in links:
            return pages
        current = at(links["next"])


def test_the_first_page_is_where_nothing_is_said() -> None:
    first = page()
    assert (first.number, first.size, first.cursor) == (0, 50, None)
    url = f"{BASE}/api/video/rooms?page_number=0&page_size=50"
    assert first.links(BASE, None) == {"self": url, "first": url}


def test_next_leads_through_all_pages_and_prev_back() -> None:
    items = [new_id() for _ in range(11)]
    pages = walk(items, 3)
    assert [one.cursor for one in pages] == [None, items[2], items[5], items[8]]
    for before, one in pairwise(pages):
        links = one.links(BASE, None)
        assert at(links["prev"]) == before
        assert at(links["self"]) == one
        assert at(links["first"]) == pages[0]


def test_hundreds_of_pages_keep_their_links_short() -> None:
    items = [new_id() for _ in range(400)]
    last = walk(items, 1)[-1]
    assert (last.number, last.cursor) == (399, items[398])
    links = last.links(BASE, new_id())
    assert max(map(len, links.values())) < 4000
    back = last
    for _ in range(99):
        back = at(back.links(BASE, None)["prev"])
    assert back.cursor == items[299]
    assert "prev" not in back.links(BASE, None)


def test_filters_are_in_every_link() -> None:
    sent = "status=in-progress&room_name=a%20b&page_size=2"
    links = page(sent, "/api/video/room_sessions").links(BASE, new_id())
    assert set(links) == {"self", "first", "next"}
    for link in links.values():
        query = parse_qs(urlsplit(link).query)
        assert (query["status"], query["room_name"]) == (["in-progress"], ["a b"])


def refusal(query: str, path: str = "/api/video/rooms") -> Any:
    with pytest.raises(InvalidRequest) as refused:
        page(query, path)
    return [(error.field, error.code) for error in refused.value.errors]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("page_size=0", ("page_size", "invalid_parameter")),
        ("page_size=1001", ("page_size", "invalid_parameter")),
        ("page_size=ten", ("page_size", "invalid_parameter")),
        ("page_number=-1", ("page_number", "invalid_parameter")),
        ("page_number=99999999999", ("page_number", "invalid_parameter")),
        ("page_number=1", ("page_token", "page_token_required")),
        ("page_number=1&page_token=", ("page_token", "page_token_is_invalid")),
        ("page_number=1&page_token=PA0123456789abcdef", ("page_token", "page_token_is_invalid")),
        ("page_number=1&page_token=%C3%A9", ("page_token", "page_token_is_invalid")),
        ("page_token=PA", ("page_token", "page_token_is_invalid")),
    ],
)
def test_what_cannot_be_a_page_is_refused(query: str, error: tuple[str, str]) -> None:
    assert refusal(query) == [error]


def test_a_token_is_for_one_page_of_one_list_with_its_filters() -> None:
    token = parse_qs(urlsplit(page("status=completed").links(BASE, new_id())["next"]).query)["page_token"][0]
    assert token.startswith("PA")
    good = f"page_number=1&page_token={token}&status=completed"
    assert page(good + "&page_size=7").size == 7
    invalid = [("page_token", "page_token_is_invalid")]
    assert refusal(good.replace("page_number=1", "page_number=2")) == invalid
    assert refusal(good.replace("completed", "in-progress")) == invalid
    assert refusal(good, "/api/video/room_sessions") == invalid
    assert refusal(good.replace(token, token[:-1])) == invalid
    assert refusal(good.replace(token, token + "AAAA")) == invalid


def test_a_parameter_that_is_repeated_is_kept() -> None:
    request = replace(asking(), query=MultiDictProxy(MultiDict([("status", "a"), ("status", "b")])))
    assert page_of(request, PageQuery()).filters == (("status", "a"), ("status", "b"))
