"""Which limit a request counts against: signing in by address, chatting by person, writing by tenant.

Reading is free.
"""

import math
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from limits import RateLimitItem, parse
from limits.aio.strategies import FixedWindowRateLimiter
from prometheus_client import Counter

from services.gateway.http.context import RequestContext
from services.gateway.limiting.store import LimitStore
from services.gateway.routing.router import Endpoint
from services.gateway.routing.table import Operation
from shared.contracts.states import UserRole
from shared.errors import TooManyRequests
from shared.http.routes import Access

LIMITED = Counter("greenroom_gateway_limited_total", "Requests refused with 429, by limit", ["limit"])

_REFUSED: Final = 400
_MACHINES: Final = frozenset({Access.SIGNED, Access.PROXY})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Count:
    """Where `who` stands: `remaining` of the limit in a window that ends at `reset_at` (Unix seconds)."""

    limit: "Limit"
    who: str
    exceeded: bool
    remaining: int
    reset_at: float
    counted_by: FixedWindowRateLimiter

    @property
    def seconds(self) -> int:
        """Whole seconds until the window ends, at least 1."""
        return max(1, math.ceil(self.reset_at - time.time()))

    def headers(self) -> dict[str, str]:
        """The three widely used fields of draft-ietf-httpapi-ratelimit-headers-03."""
        return {
            "RateLimit-Limit": str(self.limit.rate.amount),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.seconds),
        }

    def refusal(self, message: str) -> TooManyRequests:
        LIMITED.labels(self.limit.name).inc()
        return TooManyRequests(message, retry_after=self.seconds)


class Limit:
    """At most so many in each window; the window of each `who` begins with what is counted first."""

    def __init__(self, name: str, rate: str, store: LimitStore):
        """`rate` as in "10/minute" or "6000/10 second"; raises `ValueError`."""
        self.name = name
        self.rate: RateLimitItem = parse(rate)
        self._store = store

    async def hit(self, who: str) -> Count:
        """Count one more."""
        return await self._store.count(lambda limiter: self._count(limiter, who, cost=1))

    async def read(self, who: str) -> Count:
        return await self._store.count(lambda limiter: self._count(limiter, who, cost=0))

    async def refund(self, count: Count) -> None:
        """Count one less, if the window is not over; what was counted elsewhere is not taken back here."""

        async def refund(limiter: FixedWindowRateLimiter) -> None:
            if limiter is count.counted_by and time.time() < count.reset_at:
                await limiter.hit(self.rate, self.name, count.who, cost=-1)

        await self._store.count(refund)

    async def _count(self, limiter: FixedWindowRateLimiter, who: str, *, cost: int) -> Count:
        exceeded = cost > 0 and not await limiter.hit(self.rate, self.name, who, cost=cost)
        window = await limiter.get_window_stats(self.rate, self.name, who)
        return Count(self, who, exceeded, window.remaining, window.reset_time, limiter)


@dataclass(frozen=True, slots=True)
class ChatAttempt:
    """A chat message that was let through; only what was said counts."""

    count: Count

    async def finish(self, status: int | None) -> None:
        """`status` is the service's, None if it gave no answer."""
        if status is None or status >= _REFUSED:
            await self.count.limit.refund(self.count)


class RequestLimiter:
    """LiveKit's webhooks must not be lost, and Centrifugo asks for many people: those are never counted.

    `auth`, `writes` and `chat` are rates as in "10/minute".
    """

    def __init__(self, store: LimitStore, *, auth: str, writes: str, chat: str):
        self._auth = Limit("auth", auth, store)
        self._writes = Limit("writes", writes, store)
        self._chat = Limit("chat", chat, store)

    async def admit(self, endpoint: Endpoint, context: RequestContext) -> ChatAttempt | None:
        """Count the request if it counts; raises `TooManyRequests`."""
        operation = endpoint.operation
        if operation.method in _READS or operation.access in _MACHINES:
            return None
        limit, who = self._subject(operation, context)
        count = await limit.hit(who)
        context.extra_headers.update(count.headers())
        if count.exceeded:
            raise count.refusal("Too many requests; slow down")
        return ChatAttempt(count) if limit is self._chat else None

    def _subject(self, operation: Operation, context: RequestContext) -> tuple[Limit, str]:
        if operation.access is Access.ANONYMOUS:
            return self._auth, network(context.client.address)
        person = context.authenticated.caller if context.authenticated else None
        if operation.policy.chat and person is not None and person.api_key_id is None:
            return self._chat, person.user_id
        return self._writes, tenant(context)


def network(address: str) -> str:
    """The address; of IPv6 the /64 around it, since a client with one address there has them all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), 64), strict=False))


def tenant(context: RequestContext) -> str:
    """The organization of a host (and an API key); a viewer alone; an anonymous client by address."""
    if context.authenticated is None:
        return f"address:{network(context.client.address)}"
    caller = context.authenticated.caller
    if caller.role is UserRole.HOST and caller.organization_id is not None:
        return f"organization:{caller.organization_id}"
    return f"user:{caller.user_id}"
