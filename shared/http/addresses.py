"""Addresses of clients: how they are written in headers, and what one client can choose from."""

import string
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

# IPv4 clients as a translator in front of an IPv6-only network shows them (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
_LONGEST = 64
_NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "._-")


def parse_address(text: str) -> Address | None:
    """The address in `192.0.2.7`, `192.0.2.7:443`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443`.

    A proxy may name its port instead (`192.0.2.7:_x`). An IPv4 address within an IPv6 one is the IPv4
    address. None for everything else.
    """
    if len(text) > _LONGEST:
        return None
    try:
        return _unwrapped(ip_address(_without_port(text)))
    except ValueError:
        return None


def is_name(text: str) -> bool:
    """Whether a proxy names something instead of showing it (RFC 7239, 6.3)."""
    return text.startswith("_") and 1 < len(text) <= _LONGEST and _NAME_CHARACTERS.issuperset(text)


def client_network(address: str) -> str:
    """What an address is counted by: itself; of IPv6 the /64, which one client usually has as a whole.

    What is no address stands for itself, and no address at all is `unknown`.
    """
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), 64), strict=False))
    return str(parsed) if parsed is not None else address or "unknown"


def shortened(address: str) -> str:
    """Where an address is from, and not whose it is: its /24, or /48 of IPv6. What is none stays as it is."""
    parsed = parse_address(address)
    if parsed is None:
        return address
    return str(ip_network((int(parsed), 48 if isinstance(parsed, IPv6Address) else 24), strict=False))


def _without_port(text: str) -> str:
    """Raises ValueError if what follows the address is no port."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        IPv6Address(host)
        port = rest.removeprefix(":")
        bad = bool(rest) and not rest.startswith(":")
    else:
        host, colon, port = text.partition(":")
        if not colon or ":" in port:
            return text
        bad = False
    if bad or not _is_port(port):
        raise ValueError("no port")
    return host


def _is_port(text: str) -> bool:
    return not text or is_name(text) or (text.isascii() and text.isdecimal() and int(text) < 65_536)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    # Without its zone, which names an interface of this machine.
    return IPv6Address(int(address))
