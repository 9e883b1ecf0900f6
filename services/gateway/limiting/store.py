"""Where requests are counted: in Redis for all gateways together, behind a deadline and a circuit breaker."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import structlog
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from prometheus_client import Counter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.runtime.backoff import Backoff

log = structlog.get_logger(__name__)

T = TypeVar("T")

ALONE = Counter("greenroom_gateway_counted_alone_total", "Counts taken alone because Redis did not answer")

_PREFIX: Final = "greenroom:limits"
_DEADLINE: Final = 0.05
_PROBE_DEADLINE: Final = 1.0
_CONNECTIONS: Final = 32
_BETWEEN_PROBES: Final = Backoff(0.05, 1.0)


class LimitStore:
    """Counts in Redis within 50 ms; if Redis does not answer, this gateway counts alone, from nothing.

    After that Redis is not asked until a background probe was answered, so no other request waits.
    Without a URL all is counted in this process.
    """

    def __init__(self, redis_url: str, deadline: float = _DEADLINE):
        self._deadline = deadline
        self._local = FixedWindowRateLimiter(MemoryStorage())
        self._pool: BlockingConnectionPool | None = None
        self._shared: FixedWindowRateLimiter | None = None
        self._probe: asyncio.Task[None] | None = None
        if redis_url:
            self._pool = BlockingConnectionPool.from_url(
                redis_url, max_connections=_CONNECTIONS, timeout=deadline, retry=Retry(NoBackoff(), 1)
            )
            self._shared = FixedWindowRateLimiter(_redis_storage(self._pool))

    @property
    def away(self) -> bool:
        return self._probe is not None

    async def count(self, question: Callable[[FixedWindowRateLimiter], Awaitable[T]]) -> T:
        """The answer of the limiter that counts now."""
        if self._shared is None:
            return await question(self._local)
        if self._probe is None:
            try:
                async with asyncio.timeout(self._deadline):
                    return await question(self._shared)
            except (TimeoutError, StorageError, OSError) as error:
                self._give_up(self._shared, error)
        ALONE.inc()
        return await question(self._local)

    async def close(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        if self._pool is not None:
            await self._pool.aclose()

    def _give_up(self, shared: FixedWindowRateLimiter, error: Exception) -> None:
        if self._probe is None:
            log.warning("gateway.counters_away", error=f"{type(error).__name__}: {error}")
            self._probe = asyncio.create_task(self._until_back(shared), name="probe of the counters")

    async def _until_back(self, shared: FixedWindowRateLimiter) -> None:
        await _BETWEEN_PROBES.until(partial(_answers, shared))
        log.info("gateway.counters_back")
        self._probe = None


async def _answers(shared: FixedWindowRateLimiter) -> bool:
    try:
        async with asyncio.timeout(_PROBE_DEADLINE):
            return bool(await shared.storage.check())
    except (TimeoutError, StorageError, OSError):
        return False


def _redis_storage(pool: BlockingConnectionPool) -> RedisStorage:
    options = {"connection_pool": pool, "wrap_exceptions": True}
    return RedisStorage(
        "async+redis://",
        implementation="redispy",
        key_prefix=_PREFIX,
        **options,  # type: ignore[arg-type]
    )
