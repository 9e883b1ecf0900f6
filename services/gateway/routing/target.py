"""The request target: its path as segments to match, and as text to pass on unchanged."""

import string
from dataclasses import dataclass
from urllib.parse import quote, unquote

from yarl import URL

from shared.errors import NotFound

_ASCII = string.punctuation + string.ascii_letters + string.digits
_DOTS = frozenset({".", ".."})


@dataclass(slots=True)
class RequestTarget:
    """`path` and `query` (with its "?", or empty) as sent; `segments` decoded."""

    path: str
    query: str
    segments: list[str]


def parse_target(raw: str) -> RequestTarget:
    """Read the target of a request line; raises `NotFound` for a path that cannot be one of ours.

    A service decodes the path that we pass on, so what could mean another path to it than to our
    router (an encoded slash, dot segments) is refused here.
    """
    if not raw.isascii():
        raw = quote(raw.encode("utf-8", "surrogateescape"), safe=_ASCII)
    if not raw.startswith("/"):
        raw = _origin_form(raw)
    head, mark, query = raw.partition("#")[0].partition("?")
    segments = head.split("/")[1:]
    if "%" in head:
        segments = [_decoded(segment, head) for segment in segments]
    if not _DOTS.isdisjoint(segments):
        raise no_such_path(head)
    return RequestTarget(head, mark + query, segments)


def no_such_path(path: str) -> NotFound:
    return NotFound(f"There is no {path}", code="no_such_path")


def _origin_form(raw: str) -> str:
    try:
        url = URL(raw, encoded=True)
    except ValueError:
        raise no_such_path(raw) from None
    if not url.absolute or not url.raw_path.startswith("/"):
        raise no_such_path(raw)
    return url.raw_path_qs


def _decoded(segment: str, path: str) -> str:
    text = unquote(segment)
    if "/" in text or "\\" in text or not text.isprintable():
        raise no_such_path(path)
    return text
