"""The lease that lets one of several replicas do what only one may, until it dies.

Nobody compares clocks: a holder beats, and whoever sees the lease unchanged for long enough on their own
monotonic clock takes it, under a greater epoch. A holder that was only frozen must do nothing when it wakes.
So the reconciler calls `require` right before each correction that only the holder may make, and reminder
mails are claimed under the epoch: the next holder frees what an earlier epoch has claimed.
"""

import asyncio
from collections.abc import Callable

import structlog

from shared.errors import Unavailable
from shared.persistence.mongo import Collection, Document, Duplicate, Mongo

log = structlog.get_logger(__name__)

# Seconds between two beats.
_BEAT = 2.0
# Without one for so long it is taken over, and a little sooner its holder stops by itself.
TAKEOVER_AFTER = 6.0
_SURE = 4.0


class LeaseStore:
    """Leases by name: who holds it, under which epoch, and how often they confirmed it."""

    def __init__(self, mongo: Mongo):
        self.collection: Collection = mongo.collection("leases")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes([])

    async def find(self, name: str) -> Document | None:
        return await self.collection.find_one({"_id": name})

    async def beat(self, name: str, holder: str, epoch: int) -> bool:
        """Confirm that it is still held; False if it was taken over."""
        held = {"_id": name, "holder": holder, "epoch": epoch}
        return bool(await self.collection.update(held, {"$inc": {"beat": 1}}))

    async def take(self, name: str, holder: str, seen: Document | None) -> bool:
        """Take it as it was `seen` (None: not there); False if somebody was faster."""
        if seen is None:
            try:
                await self.collection.insert({"_id": name, "holder": holder, "epoch": 1, "beat": 0})
            except Duplicate:
                return False
            return True
        # One stored by an earlier release has neither epoch nor beat; None matches a field that is absent.
        as_seen = {"_id": name, "epoch": None, "beat": None, **seen}
        change: Document = {"$set": {"holder": holder}, "$inc": {"epoch": 1}}
        return bool(await self.collection.update(as_seen, change))

    async def release(self, name: str, holder: str, epoch: int) -> None:
        await self.collection.update(
            {"_id": name, "holder": holder, "epoch": epoch}, {"$set": {"holder": None}}
        )


class Lease:
    """One replica's hold on the lease `name`; `monotonic` gives seconds that only go forward."""

    def __init__(self, store: LeaseStore, name: str, holder: str, monotonic: Callable[[], float]):
        self._store = store
        self._name = name
        self._holder = holder
        self._monotonic = monotonic
        self._epoch: int | None = None
        self._beaten_at = 0.0
        self._seen: Document | None = None
        self._seen_at = 0.0
        self._released = False

    @property
    def epoch(self) -> int | None:
        """Under which epoch it is held; None if it is not, or if that is not certain."""
        if self._epoch is None or self._monotonic() - self._beaten_at > _SURE:
            return None
        return self._epoch

    @property
    def held(self) -> bool:
        return self.epoch is not None

    def require(self) -> None:
        """Raises `Unavailable` unless it is held: call it right before what only the holder may do."""
        if not self.held:
            raise Unavailable(f"The lease {self._name} is no longer held")

    async def run(self) -> None:
        """Take it when it is free, and keep it, until cancelled."""
        while True:
            await self.run_once()
            await asyncio.sleep(_BEAT)

    async def run_once(self) -> None:
        """Beat, or see whether it can be taken; once. Never again after `release`."""
        if self._released:
            return
        at = self._monotonic()
        try:
            if self._epoch is not None:
                await self._beat(at)
            else:
                await self._try(at)
        except Unavailable as error:
            # What was not seen meanwhile may have changed.
            self._seen = None
            log.warning("lease.unknown", lease=self._name, error=error.message)

    async def _beat(self, at: float) -> None:
        if self._epoch is not None and await self._store.beat(self._name, self._holder, self._epoch):
            self._beaten_at = at
            return
        self._epoch = None
        log.warning("lease.lost", lease=self._name)

    async def _try(self, at: float) -> None:
        found = await self._store.find(self._name)
        if found is not None and found != self._seen:
            self._seen, self._seen_at = found, at
        waited = at - self._seen_at >= TAKEOVER_AFTER
        if found is not None and found["holder"] is not None and not waited:
            return
        if await self._store.take(self._name, self._holder, found):
            self._epoch = found.get("epoch", 0) + 1 if found else 1
            self._beaten_at = at
            log.info("lease.taken", lease=self._name, epoch=self._epoch)

    async def release(self) -> None:
        """Let another take it immediately."""
        epoch, self._epoch, self._released = self._epoch, None, True
        if epoch is None:
            return
        try:
            await self._store.release(self._name, self._holder, epoch)
        except Unavailable as error:
            log.warning("lease.not_released", lease=self._name, error=error.message)
