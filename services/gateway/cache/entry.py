"""An answer as it is kept: encoded once, with the ids of everything it shows."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from multidict import CIMultiDict

from services.gateway.routing.router import Endpoint
from services.gateway.upstreams.proxy import Fetched
from shared.ids import is_id

# Stands for all lists: what a new thing appears in, which no list shows yet.
LISTS: Final = "lists"

_IDS = re.compile(rb'"\w*id"\s*:\s*"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"')
# The envelope's own time says when it was rendered, not what it says.
_TIMESTAMP = re.compile(rb',"timestamp":\d+\}$')
# What an entry costs beside its bytes, roughly measured.
_OVERHEAD: Final = 1024
_PER_TAG: Final = 128


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """`found` and `unchanged` are the heads of 200 and 304, but for what differs each time; `headers` the
    same for those who need another form. `expires_at` is monotonic."""

    endpoint: Endpoint
    path: str
    etag: str
    found: bytes
    unchanged: bytes
    headers: CIMultiDict[str]
    body: bytes
    tags: frozenset[str]
    expires_at: float

    @property
    def size(self) -> int:
        """Bytes, about."""
        return len(self.body) + 2 * len(self.found) + _PER_TAG * len(self.tags) + _OVERHEAD

    def matches(self, if_none_match: str | None) -> bool:
        """Whether the client has it already (RFC 9110, 13.1.2, compared weakly)."""
        if if_none_match is None:
            return False
        if if_none_match == self.etag:
            return True
        opaque = self.etag.removeprefix("W/")
        shown = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
        return opaque in shown or "*" in shown


def make_entry(
    endpoint: Endpoint,
    path: str,
    fetched: Fetched,
    headers: CIMultiDict[str],
    tags: frozenset[str],
    until: float,
) -> Entry:
    """`headers` are the answer's, without what differs each time."""
    etag = f'W/"{hashlib.blake2b(_TIMESTAMP.sub(b"", fetched.body), digest_size=16).hexdigest()}"'
    headers["ETag"] = etag
    shared = b"".join(b"%b: %b\r\n" % (name.encode(), value.encode()) for name, value in headers.items())
    length = b"Content-Length: %d\r\n" % len(fetched.body)
    return Entry(
        endpoint=endpoint,
        path=path,
        etag=etag,
        found=b"HTTP/1.1 200 OK\r\n" + length + shared,
        unchanged=b"HTTP/1.1 304 Not Modified\r\n" + shared,
        headers=headers,
        body=fetched.body,
        tags=tags,
        expires_at=until,
    )


def path_tags(endpoint: Endpoint, segments: Iterable[str]) -> frozenset[str]:
    """The ids in the path; for what has none of its own, all lists."""
    ids = frozenset(segment.lower() for segment in segments if is_id(segment))
    return ids if "{" in endpoint.operation.path else ids | {LISTS}


def ids_in(body: bytes) -> frozenset[str]:
    """Every id that a JSON document shows, itself or of what it refers to."""
    return frozenset(found.decode() for found in _IDS.findall(body))
