"""Request targets: what is passed on means to a service what it meant to the router."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.routing.target import parse_target
from shared.errors import NotFound


@pytest.mark.parametrize(
    ("raw", "path", "query", "segments"),
    [
        ("/rooms", "/rooms", "", ["rooms"]),
        ("/", "/", "", [""]),
        ("/rooms?page=2&x=%2F..", "/rooms", "?page=2&x=%2F..", ["rooms"]),
        ("/rooms?", "/rooms", "?", ["rooms"]),
        ("/rooms#top", "/rooms", "", ["rooms"]),
        ("/%72ooms/a%20b", "/%72ooms/a%20b", "", ["rooms", "a b"]),
        ("http://elsewhere/rooms?page=2", "/rooms", "?page=2", ["rooms"]),
        ("/rooms?q=é", "/rooms", "?q=%C3%A9", ["rooms"]),
        ("/rooms//", "/rooms//", "", ["rooms", "", ""]),
        ("/rooms/...", "/rooms/...", "", ["rooms", "..."]),
    ],
)
def test_reads_path_query_and_segments(raw: str, path: str, query: str, segments: list[str]) -> None:
    target = parse_target(raw)
    assert (target.path, target.query, target.segments) == (path, query, segments)


@pytest.mark.parametrize(
    "raw",
    [
        "/rooms/..",
        "/rooms/../internal/x",
        "/./internal",
        "/rooms/%2e%2e/internal",
        "/rooms/.%2E/internal",
        "/rooms/..%2finternal",
        "/rooms/a%5cb",
        "/rooms/a%00b",
        "/rooms/a%0d%0ab",
        "*",
        "example.com:443",
        "",
    ],
)
def test_refuses_what_could_mean_another_path(raw: str) -> None:
    with pytest.raises(NotFound):
        parse_target(raw)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_leaves_as_ascii(raw: str) -> None:
    text = "/" + raw.encode("utf-8", "surrogateescape" if raw.isascii() else "ignore").decode(
        "utf-8", "ignore"
    )
    try:
        target = parse_target(text)
    except NotFound:
        return
    assert (target.path + target.query).isascii()
    assert target.path.startswith("/")
