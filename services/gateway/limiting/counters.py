"""Counting what somebody does within fixed windows of time, the same windows for all gateways."""

from dataclasses import dataclass
from typing import Final

from limits import RateLimitItem, parse

from services.gateway.limiting.store import Store
from shared.clock import Clock

# What a count outlives its window by, for gateways whose clocks differ.
_KEPT_LONGER: Final = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `rate.amount` in each window of `rate.get_expiry()` seconds."""

    name: str
    rate: RateLimitItem

    @classmethod
    def of(cls, name: str, text: str) -> "Rule":
        """`text` as in "10/minute" or "6000/10 second"; raises `ValueError`."""
        return cls(name, parse(text))


@dataclass(frozen=True, slots=True)
class Count:
    """`used` of `limit` in a window that ends in `seconds`; `key` names it."""

    limit: int
    used: int
    seconds: int
    key: str

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def headers(self) -> dict[str, str]:
        """The three widely used fields of draft-ietf-httpapi-ratelimit-headers-03."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.seconds),
        }


class Counters:
    def __init__(self, store: Store, clock: Clock):
        self._store = store
        self._clock = clock

    async def add(self, rule: Rule, who: str) -> Count:
        """Count one more."""
        key, seconds = self._window(rule, who)
        used = await self._store.add(key, 1, rule.rate.get_expiry() + _KEPT_LONGER)
        return Count(rule.rate.amount, used, seconds, key)

    async def read(self, rule: Rule, who: str) -> Count:
        key, seconds = self._window(rule, who)
        return Count(rule.rate.amount, await self._store.read(key), seconds, key)

    async def take_back(self, count: Count) -> None:
        """Count one less in the window in which it was counted."""
        await self._store.add(count.key, -1, count.seconds + _KEPT_LONGER)

    def _window(self, rule: Rule, who: str) -> tuple[str, int]:
        """Its key, and the whole seconds until it ends, at least 1."""
        length = rule.rate.get_expiry()
        number, passed = divmod(int(self._clock.now().timestamp()), length)
        return f"{rule.name}/{who}/{length}/{number}", length - passed
