"""The services behind the gateway, each with its own pool of connections."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from services.gateway.upstreams.fair_slots import FairSlots
from shared.http.connections import IDLE_SECONDS

_CONNECT: Final = 2.0
_AS_SENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True)
class Pool:
    """One service: its name, base URL without a trailing slash, and connections.

    `uploads` are the connections that bodies may occupy while they are still being received, `downloads`
    those for answers while they are still being taken.
    """

    name: str
    base: str
    http: ClientSession
    uploads: FairSlots
    downloads: FairSlots

    def url(self, target: str) -> URL:
        """The URL of an encoded path and query."""
        return URL(self.base + target, encoded=True)


class Upstreams:
    """Made inside the running loop; `close` it last."""

    def __init__(self, urls: Mapping[str, str], connections: int):
        self._pools = {name: _pool(name, url, connections) for name, url in urls.items()}

    def __getitem__(self, name: str) -> Pool:
        return self._pools[name]

    @property
    def all(self) -> list[Pool]:
        return list(self._pools.values())

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.http.close()


def _pool(name: str, url: str, connections: int) -> Pool:
    uploads, downloads = _slots(connections, 0.25, clients=8), _slots(connections, 0.75, clients=3)
    return Pool(name, url, _client(connections), uploads, downloads)


def _slots(connections: int, part: float, *, clients: int) -> FairSlots:
    """This part of the connections, which so many clients together can use up."""
    total = max(1, int(connections * part))
    return FairSlots(total, max(1, total // clients))


def _client(connections: int) -> ClientSession:
    """Passes everything through: no cookies, no decompression, no headers of its own.

    Deadlines are the caller's, except for the connecting itself. A request of an idempotent method that
    meets a connection which the service has just closed is sent once more; aiohttp does that by itself.
    """
    return ClientSession(
        connector=TCPConnector(limit=connections, keepalive_timeout=IDLE_SECONDS),
        timeout=ClientTimeout(total=None, sock_connect=_CONNECT),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_AS_SENT,
    )
