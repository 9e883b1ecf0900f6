"""The lease that lets one of several replicas work; when it dies, another takes over."""

import asyncio
from datetime import datetime, timedelta

import structlog

from shared.clock import Clock
from shared.errors import Unavailable
from shared.mongo import Collection, Duplicate, Mongo

log = structlog.get_logger(__name__)

LASTS = timedelta(seconds=6)


class LeaseStore:
    collection_name = "leases"

    def __init__(self, mongo: Mongo):
        self._collection: Collection = mongo.collection(self.collection_name)

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes([])

    async def take(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """Take or renew the lease; False where another holds it."""
        free = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": now}}]}
        try:
            await self._collection.update(free, {"$set": {"holder": holder, "until": until}}, upsert=True)
        except Duplicate:
            return False
        return True

    async def release(self, name: str, holder: str) -> None:
        await self._collection.delete_many({"_id": name, "holder": holder})


class Lease:
    """One replica's hold on the lease `name`; clocks of replicas may differ by less than it lasts."""

    def __init__(self, store: LeaseStore, clock: Clock, *, name: str, holder: str, lasts: timedelta = LASTS):
        self._store = store
        self._clock = clock
        self._name = name
        self._holder = holder
        self._lasts = lasts
        self._until: datetime | None = None
        self._given_up = False

    @property
    def held(self) -> bool:
        return self._until is not None and self._clock.now() < self._until

    async def run(self) -> None:
        """Take it, or keep it, until cancelled."""
        while True:
            await self.renew()
            await asyncio.sleep(self._lasts.total_seconds() / 3)

    async def renew(self) -> None:
        """Take it or keep it once; never again after `release`."""
        if self._given_up:
            return
        now = self._clock.now()
        until = now + self._lasts
        try:
            taken = await self._store.take(self._name, self._holder, now, until)
        except Unavailable as error:
            log.warning("lease.not_renewed", lease=self._name, error=error.message)
            return
        if taken and not self.held:
            log.info("lease.taken", lease=self._name)
        self._until = until if taken else None

    async def release(self) -> None:
        """Let another take it at once."""
        self._given_up, self._until = True, None
        try:
            await self._store.release(self._name, self._holder)
        except Unavailable as error:
            log.warning("lease.not_released", lease=self._name, error=error.message)
