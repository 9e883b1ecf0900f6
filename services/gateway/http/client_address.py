"""Who is on the other end: the client's address, scheme and host, through trusted proxies or directly."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

from aiohttp import web

from services.gateway.http.forwarded import parse_forwarded
from shared.http.addresses import is_name, parse_address

Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """`address` is an IP address in its shortest form, or a name that a trusted proxy gave the client."""

    address: str
    scheme: str
    host: str


class ClientAddressResolver:
    """X-Forwarded-* and Forwarded (RFC 7239) are trusted only from `trusted` proxies: anybody can send them.

    Each proxy appends whom it was called by. So the chain is read from the right, and the first that is no
    trusted proxy is the client; what stands left of it, the client may have invented.
    """

    def __init__(self, trusted: Sequence[Network]):
        self._trusted = tuple(trusted)
        self.is_trusted = lru_cache(maxsize=1024)(self._inside)

    def resolve(self, request: web.BaseRequest) -> ClientAddress:
        headers = request.headers
        peer = _peer(request)
        if not self.is_trusted(peer):
            return ClientAddress(peer, request.scheme, headers.get("Host", ""))
        nearest = parse_forwarded(headers.getall("Forwarded", ()))[-1:]
        said = nearest[0] if nearest else {}
        scheme = _last(headers.getall("X-Forwarded-Proto", ())) or said.get("proto", request.scheme)
        host = _last(headers.getall("X-Forwarded-Host", ())) or said.get("host", headers.get("Host", ""))
        return ClientAddress(
            self.address_of(request),
            "https" if scheme.lower() == "https" else "http",
            host,
        )

    def address_of(self, request: web.BaseRequest) -> str:
        """The client's address alone.

        A proxy writes one of the two headers and may pass on the other as the client sent it. If they name
        different clients, one is invented and neither is believed: that is the proxy's own address. One that
        names trusted proxies alone names no client: the first of these proxies wrote the other header.
        """
        peer = _peer(request)
        if not self.is_trusted(peer):
            return peer
        plain = _split(request.headers.getall("X-Forwarded-For", ()))
        forwarded = [hop.get("for", "") for hop in parse_forwarded(request.headers.getall("Forwarded", ()))]
        chains = [chain for chain in (plain, forwarded) if chain]
        to_clients = [chain for chain in chains if not all(map(self.is_trusted, chain))]
        named = {self._client(peer, chain) for chain in to_clients or chains}
        return named.pop() if len(named) == 1 else peer

    def _client(self, peer: str, chain: Sequence[str]) -> str:
        """The first from the right that is no trusted proxy, or the last proxy that can be told."""
        nearest = peer
        for hop in reversed(chain):
            address = parse_address(hop)
            if address is None:
                name = hop.partition(":")[0]
                return name if is_name(name) else nearest
            nearest = str(address)
            if not self.is_trusted(nearest):
                break
        return nearest

    def _inside(self, text: str) -> bool:
        address = parse_address(text)
        return address is not None and any(address in network for network in self._trusted)


def _peer(request: web.BaseRequest) -> str:
    return _plainly(request.remote or "")


@lru_cache(maxsize=1024)
def _plainly(remote: str) -> str:
    address = parse_address(remote)
    return remote if address is None else str(address)


def _split(lines: Sequence[str]) -> list[str]:
    """Some proxies quote what has brackets, as in Forwarded."""
    return [part.strip(' \t"') for part in ",".join(lines).split(",") if part.strip()]


def _last(lines: Sequence[str]) -> str:
    return "".join(_split(lines)[-1:])
