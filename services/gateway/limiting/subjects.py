"""On whose account a request is counted."""

from ipaddress import IPv6Address, ip_address, ip_network

from services.gateway.http.context import Visit
from shared.contracts.states import UserRole


def network(address: str) -> str:
    """The address; of IPv6 the /64 around it, since whoever has one address there has them all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), 64), strict=False))


def tenant(visit: Visit) -> str:
    """A host's (and an API key's) organization; a viewer alone; who is nobody, by address."""
    if visit.identified is None:
        return f"address:{network(visit.client.address)}"
    caller = visit.identified.caller
    if caller.role is UserRole.HOST and caller.organization_id is not None:
        return f"organization:{caller.organization_id}"
    return f"user:{caller.user_id}"
