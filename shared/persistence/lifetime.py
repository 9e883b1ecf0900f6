"""The lifetime of a service with a database, a bus and an outbox: start in order, stop in reverse."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from aiohttp import web

from shared.bus import Bus, Group, OrderedGroup
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.backoff import until_available
from shared.runtime.health import HEALTH
from shared.runtime.tasks import SUPERVISOR

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 3.0


class Indexed(Protocol):
    async def ensure_indexes(self) -> None: ...


@dataclass(frozen=True)
class Database:
    """A service's own database, and what is kept in it."""

    mongo: Mongo
    stores: Sequence[Indexed]

    async def prepare(self) -> None:
        """Wait until it can be written to, and make the indexes that are missing."""
        await until_available("mongodb", self.mongo.check_journal)
        for store in self.stores:
            await until_available("indexes", store.ensure_indexes)


DATABASE: Final = web.AppKey("database", Database)


def service_lifetime(
    *,
    bus: Bus,
    outbox: Outbox,
    groups: Sequence[Group | OrderedGroup],
    prepare: Callable[[], Awaitable[None]] | None = None,
) -> Callable[[web.Application], AsyncIterator[None]]:
    """A `cleanup_ctx` for apps with a `DATABASE`; `prepare` runs after its indexes, before requests."""

    async def start(app: web.Application) -> None:
        await app[DATABASE].prepare()
        if prepare is not None:
            await until_available("preparation", prepare)
        await until_available("rabbitmq", bus.start)
        await asyncio.gather(*(bus.subscribe(group) for group in groups))
        supervisor = app[SUPERVISOR]
        supervisor.spawn("bus", bus.run())
        supervisor.spawn("outbox", outbox.run())
        app[HEALTH].started = True
        log.info("service.started")

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        health = app[HEALTH]
        mongo = app[DATABASE].mongo
        health.add("mongodb", mongo.ping)

        async def broker() -> str | None:
            return bus.state()

        health.add("rabbitmq", broker)
        app[SUPERVISOR].spawn("start", start(app), may_end=True)
        yield
        await bus.stop_consuming()
        await app[SUPERVISOR].stop()
        await outbox.drain(_DRAIN_SECONDS)
        await bus.close()
        mongo.close()

    return lifetime
