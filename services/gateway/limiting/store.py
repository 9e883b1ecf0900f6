"""Where the counts are kept: in Redis for all gateways together, behind a deadline and a circuit breaker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.errors import StorageError
from prometheus_client import Counter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.gateway.limiting.own_counts import OwnCounts
from shared.runtime.backoff import Backoff

log = structlog.get_logger(__name__)

ALONE = Counter("greenroom_gateway_counted_alone_total", "Counts taken alone because Redis did not answer")

_PREFIX: Final = "greenroom:limits"
_DEADLINE: Final = 0.05
_PROBE_DEADLINE: Final = 1.0
_CONNECTIONS: Final = 32
_PROBING: Final = Backoff(0.05, 1.0)


class Store:
    """Asks the storage within 50 ms; where it does not answer, this gateway counts alone, from nothing.

    After that nobody asks until a probe in the background was answered, so no other request waits.
    """

    def __init__(self, storage: Storage, close: Callable[[], Awaitable[None]], deadline: float = _DEADLINE):
        self._storage = storage
        self._close = close
        self._deadline = deadline
        self._own = OwnCounts()
        self._probe: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, redis_url: str, deadline: float = _DEADLINE) -> "Store":
        """The counts in Redis; without a URL in this process alone."""
        if not redis_url:
            return cls(MemoryStorage(), _nothing)
        pool = BlockingConnectionPool.from_url(
            redis_url, max_connections=_CONNECTIONS, timeout=deadline, retry=Retry(NoBackoff(), 1)
        )
        options = {"connection_pool": pool, "wrap_exceptions": True}
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=_PREFIX,
            **options,  # type: ignore[arg-type]
        )
        return cls(storage, pool.aclose, deadline)

    @property
    def away(self) -> bool:
        return self._probe is not None

    async def add(self, key: str, amount: int, kept: int) -> int:
        """Add to a count that is forgotten `kept` seconds after its first change; the new count."""
        count = await self._ask(lambda: self._storage.incr(key, kept, amount))
        return self._own.add(key, amount) if count is None else count

    async def read(self, key: str) -> int:
        count = await self._ask(lambda: self._storage.get(key))
        return self._own.read(key) if count is None else count

    async def close(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self._close()

    async def _ask(self, question: Callable[[], Awaitable[int]]) -> int | None:
        if self._probe is not None:
            ALONE.inc()
            return None
        try:
            async with asyncio.timeout(self._deadline):
                return await question()
        except (TimeoutError, StorageError, OSError) as error:
            ALONE.inc()
            self._give_up(error)
            return None

    def _give_up(self, error: Exception) -> None:
        if self._probe is None:
            log.warning("gateway.counters_away", error=f"{type(error).__name__}: {error}")
            self._probe = asyncio.create_task(self._until_back(), name="probe of the counters")

    async def _until_back(self) -> None:
        await _PROBING.until(self._answers)
        log.info("gateway.counters_back")
        self._probe = None

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_DEADLINE):
                return bool(await self._storage.check())
        except (TimeoutError, StorageError, OSError):
            return False


async def _nothing() -> None:
    """Memory needs no closing."""
