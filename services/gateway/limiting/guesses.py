"""Guessing what lets people in is slowed by the address that tries, which many people may share.

It has a limit for failures, and a larger one for attempts that are under way, since all of them may succeed.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from services.gateway.http.context import RequestContext
from services.gateway.limiting.limiter import Count, Limit
from services.gateway.limiting.store import LimitStore
from shared.errors import TooManyRequests
from shared.http.addresses import client_network

log = structlog.get_logger(__name__)

# So many times the failures that an address may have, its attempts under way may be.
_UNDER_WAY: Final = 10
# What the answers say of a code that there is none of, or that cannot be one.
_MISSED: Final = frozenset({404, 422})


@dataclass(frozen=True, slots=True)
class Guess:
    """An attempt of `address` that was let through."""

    address: str
    failures: Limit
    under_way: Count

    async def finish(self, *, failed: bool) -> None:
        await self.withdraw()
        if failed:
            await self.failures.hit(self.address)

    async def withdraw(self) -> None:
        """It was no try."""
        await self.under_way.limit.refund(self.under_way)


class GuessThrottle:
    """`what` is guessed, in the names of the limits; `by_address` is the rate of failures."""

    def __init__(self, what: str, store: LimitStore, *, by_address: str):
        self._failures = Limit(f"{what}-address", by_address, store)
        self._under_way = Limit(f"{what}-under-way", by_address, store, times=_UNDER_WAY)

    async def begin(self, context: RequestContext) -> Guess:
        """Raises `TooManyRequests`."""
        address = client_network(context.client.address)
        failed = await self._failures.read(address)
        if not failed.remaining:
            raise refusal(failed, context)
        return Guess(address, self._failures, await count_or_refuse(self._under_way, address, context))


@dataclass(frozen=True, slots=True)
class CodeAttempt:
    """A room code that was tried. One that exists is no failure, even if it lets nobody in now."""

    guess: Guess

    async def finish(self, status: int | None) -> None:
        """`status` is the answer's, None if the client did not wait for it."""
        await self.guess.finish(failed=status is None or status in _MISSED)


class CodeThrottle:
    """`by_address` is a rate."""

    def __init__(self, store: LimitStore, *, by_address: str):
        self._guesses = GuessThrottle("room-code", store, by_address=by_address)

    async def admit(self, context: RequestContext) -> CodeAttempt:
        """Raises `TooManyRequests`."""
        return CodeAttempt(await self._guesses.begin(context))


async def count_or_refuse(limit: Limit, who: str, context: RequestContext) -> Count:
    count = await limit.hit(who)
    if not count.exceeded:
        return count
    await limit.refund(count)
    raise refusal(count, context)


def refusal(count: Count, context: RequestContext) -> TooManyRequests:
    log.warning("gateway.guess_refused", limit=count.limit.name, client=context.client.address)
    context.extra_headers.update(count.headers())
    return count.refusal("Too many attempts that failed or are not answered yet; try again later")
