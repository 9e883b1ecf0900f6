"""Who is on the other end: the client's address, scheme and host, through trusted proxies or directly."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TypeAlias

from aiohttp import web

Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ClientAddress:
    address: str
    scheme: str
    host: str


class ClientAddressResolver:
    """X-Forwarded-* is trusted only from `trusted` proxies: anybody can send it."""

    def __init__(self, trusted: Sequence[Network]):
        self._trusted = tuple(trusted)
        self._is_trusted = lru_cache(maxsize=1024)(self._inside)

    def resolve(self, request: web.BaseRequest) -> ClientAddress:
        headers = request.headers
        peer = request.remote or ""
        if not self._trusted or not self._is_trusted(peer):
            return ClientAddress(peer, request.scheme, headers.get("Host", ""))
        return ClientAddress(
            self._first_untrusted(peer, ",".join(headers.getall("X-Forwarded-For", ()))),
            "https" if _last(headers.get("X-Forwarded-Proto", request.scheme)) == "https" else "http",
            _last(headers.get("X-Forwarded-Host", headers.get("Host", ""))),
        )

    def address_of(self, request: web.BaseRequest) -> str:
        """The client's address alone."""
        peer = request.remote or ""
        if not self._trusted or not self._is_trusted(peer):
            return peer
        return self.resolve(request).address

    def _first_untrusted(self, peer: str, chain: str) -> str:
        """The nearest address that is not a trusted proxy's; each proxy appends its client's address."""
        nearest = peer
        for hop in reversed([part.strip() for part in chain.split(",") if part.strip()]):
            if not _is_address(hop):
                break
            nearest = hop
            if not self._is_trusted(hop):
                break
        return nearest

    def _inside(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self._trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _last(value: str) -> str:
    return value.rpartition(",")[2].strip()
