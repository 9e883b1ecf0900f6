"""Which limits a request counts against: signing in by address, writing by tenant, and by person what reaches
everybody in a session.

Reading is free.
"""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from limits import RateLimitItem, parse
from limits.aio.strategies import FixedWindowRateLimiter
from prometheus_client import Counter

from services.gateway.http.client_address import ClientAddress
from services.gateway.http.context import RequestContext
from services.gateway.limiting.store import LimitStore
from services.gateway.routing.router import Endpoint
from services.gateway.routing.table import PersonalLimit
from shared.contracts.states import UserRole
from shared.errors import TooManyRequests
from shared.http.addresses import client_network
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

    def __init__(self, name: str, rate: str, store: LimitStore, *, times: int = 1):
        """`rate` as in "10/minute" or "6000/10 second", and so many times as much; raises `ValueError`."""
        self.name = name
        one = parse(rate)
        self.rate: RateLimitItem = type(one)(one.amount * times, one.multiples)
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
        """`status` is the answer's, None if the client did not wait for it."""
        if status is None or status >= _REFUSED:
            await self.count.limit.refund(self.count)


class RequestLimiter:
    """LiveKit's webhooks must not be lost, and Centrifugo asks for many people: those are never counted.

    `auth`, `writes`, `chat` and `actions` are rates as in "10/minute".
    """

    def __init__(self, store: LimitStore, *, auth: str, writes: str, chat: str, actions: str):
        self._auth = Limit("auth", auth, store)
        self._writes = Limit("writes", writes, store)
        self._personal = {
            PersonalLimit.CHAT: Limit("chat", chat, store),
            PersonalLimit.ACTIONS: Limit("actions", actions, store),
        }

    async def admit(self, endpoint: Endpoint, context: RequestContext) -> ChatAttempt | None:
        """Count the request if it counts; raises `TooManyRequests`."""
        operation = endpoint.operation
        if operation.access in _MACHINES:
            return None
        if operation.access is Access.ANONYMOUS and operation.method not in _READS:
            await _hit(self._auth, client_network(context.client.address), context)
        elif operation.method not in _READS:
            await _hit(self._writes, tenant(context), context)
        return await self._count_person(operation.policy.personal, context)

    async def _count_person(
        self, personal: PersonalLimit | None, context: RequestContext
    ) -> ChatAttempt | None:
        """An API key acts for many people, so that it has no limit as one of them."""
        person = context.authenticated.caller if context.authenticated else None
        if personal is None or person is None or person.api_key_id is not None:
            return None
        count = await _hit(self._personal[personal], person.user_id, context)
        return ChatAttempt(count) if personal is PersonalLimit.CHAT else None


async def _hit(limit: Limit, who: str, context: RequestContext) -> Count:
    count = await limit.hit(who)
    context.extra_headers.update(count.headers())
    if count.exceeded:
        raise count.refusal("Too many requests; slow down")
    return count


class ApiKeyThrottle:
    """Trying API keys counts by client address, like signing in; a key that holds takes it back."""

    def __init__(self, store: LimitStore, *, by_address: str):
        self._by_address = Limit("api-key-address", by_address, store)

    async def admit(self, client: ClientAddress) -> Callable[[], Awaitable[None]]:
        """Count a key that is tried; what is returned takes it back. Raises `TooManyRequests`."""
        count = await self._by_address.hit(client_network(client.address))
        if count.exceeded:
            raise count.refusal("Too many API keys were refused; slow down")
        return partial(self._by_address.refund, count)


def tenant(context: RequestContext) -> str:
    """The organization of a host (and an API key); a viewer alone; an anonymous client by address."""
    if context.authenticated is None:
        return f"address:{client_network(context.client.address)}"
    caller = context.authenticated.caller
    if caller.role is UserRole.HOST and caller.organization_id is not None:
        return f"organization:{caller.organization_id}"
    return f"user:{caller.user_id}"
