"""The outbox: events are stored in the document they tell of, then published from the store.

A document with unpublished events has `outbox` (a list of entries) and `outbox_at` (the time of the
oldest, sparse-indexed). The relay reads those documents, publishes each one's entries in order with
broker confirms, and clears what was confirmed in bulk, guarded by the version it read. Two relays at
once are harmless: consumers apply an event once. A document with `tombstone` is removed when its
last event is confirmed.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from prometheus_client import Counter, Gauge

from shared.bus import Publisher
from shared.clock import Clock
from shared.contracts.event import Envelope, Event
from shared.contracts.registry import event_class
from shared.errors import Unavailable
from shared.ids import new_id
from shared.log import current_request_id
from shared.mongo import ASCENDING, Collection, DeleteOne, Document, Index, UpdateOne
from shared.tasks import run_all

log = structlog.get_logger(__name__)

OUTBOX_INDEX = Index([("outbox_at", ASCENDING)], sparse=True)

PUBLISHED = Counter("greenroom_outbox_published_total", "Events confirmed by the broker", ["collection"])
WAITING = Gauge("greenroom_outbox_waiting", "Documents with events not yet confirmed", ["collection"])

_BATCH = 500
_CONCURRENT_DOCUMENTS = 64


def entries(events: Sequence[Event], now: datetime) -> list[Document]:
    """The outbox entries for `events`, ids assigned: what is pushed in the same write as the change."""
    request_id = current_request_id()
    return [
        {
            "id": new_id(),
            "name": event.name,
            "at": now,
            "request_id": request_id,
            "data": event.model_dump_json(),
        }
        for event in events
    ]


@dataclass(frozen=True)
class _Confirmed:
    """Entries of one document that the broker has, and whether those are all it had at `version`."""

    version: int | None
    ids: frozenset[str]
    complete: bool
    tombstone: bool


@dataclass
class _Source:
    """A collection whose documents carry outboxes, and what of it is confirmed but not yet cleared."""

    collection: Collection
    confirmed: dict[str, _Confirmed] = field(default_factory=dict)

    def done(self, key: str) -> frozenset[str]:
        confirmed = self.confirmed.get(key)
        return confirmed.ids if confirmed else frozenset()


class Outbox:
    """The relay of one service. `attach` its collections, `wake` it after a write, `run` it supervised."""

    def __init__(
        self,
        publisher: Publisher,
        clock: Clock,
        *,
        source: str,
        gather: float = 0.01,
        sweep: float = 1.0,
        clear_every: float = 0.5,
    ):
        self._publisher = publisher
        self._clock = clock
        self._source = source
        self._gather = gather
        self._sweep = sweep
        self._clear_every = clear_every
        self._sources: list[_Source] = []
        self._woken = asyncio.Event()

    def attach(self, collection: Collection) -> None:
        self._sources.append(_Source(collection))

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Publish and clear until cancelled."""
        await run_all(self._publish_loop(), self._clear_loop())

    async def drain(self, deadline: float) -> None:
        """Publish what is waiting, for at most `deadline` seconds; the store keeps what is left."""
        try:
            async with asyncio.timeout(deadline):
                await self.publish_once()
                await self.clear_once()
        except (TimeoutError, Unavailable) as error:
            log.warning("outbox.drain_incomplete", error=str(error))

    async def _publish_loop(self) -> None:
        failures = 0
        while True:
            try:
                more = await self.publish_once()
                failures = 0
            except Unavailable as error:
                failures += 1
                more = False
                log.warning("outbox.publish_failed", error=error.message, failures=failures)
                await asyncio.sleep(min(2.0, 0.1 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311
            if not more:
                await self._wait_for_work()
            await asyncio.sleep(self._gather)

    async def _wait_for_work(self) -> None:
        try:
            async with asyncio.timeout(self._sweep):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _clear_loop(self) -> None:
        while True:
            await asyncio.sleep(self._clear_every)
            try:
                await self.clear_once()
            except Unavailable as error:
                log.warning("outbox.clear_failed", error=error.message)

    async def publish_once(self) -> bool:
        """One round over all collections; True where a full batch suggests that more is waiting."""
        self._woken.clear()
        rounds = [await self._publish_source(source) for source in self._sources]
        return any(rounds)

    async def _publish_source(self, source: _Source) -> bool:
        skip = len(source.confirmed)
        documents = await source.collection.find(
            {"outbox_at": {"$exists": True}},
            sort=[("outbox_at", ASCENDING)],
            limit=_BATCH + skip,
            fields=["outbox", "version", "tombstone"],
        )
        WAITING.labels(source.collection.name).set(len(documents))
        fresh = [document for document in documents if self._unconfirmed(source, document)]
        limiter = asyncio.Semaphore(_CONCURRENT_DOCUMENTS)
        results = await asyncio.gather(
            *(self._publish_document(source, document, limiter) for document in fresh), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(fresh) >= _BATCH

    @staticmethod
    def _unconfirmed(source: _Source, document: Document) -> bool:
        done = source.done(document["_id"])
        return any(entry["id"] not in done for entry in document.get("outbox", []))

    async def _publish_document(
        self, source: _Source, document: Document, limiter: asyncio.Semaphore
    ) -> None:
        """Publish one document's entries in order; the first failure ends it, so that none overtakes."""
        stored = document["outbox"]
        done = set(source.done(document["_id"]))
        try:
            async with limiter:
                for entry in stored:
                    if entry["id"] not in done:
                        await self._publisher.publish(self._envelope(entry))
                        done.add(entry["id"])
                        PUBLISHED.labels(source.collection.name).inc()
        finally:
            if done:
                source.confirmed[document["_id"]] = _Confirmed(
                    version=document.get("version"),
                    ids=frozenset(done),
                    complete=all(entry["id"] in done for entry in stored),
                    tombstone=document.get("tombstone", False),
                )

    def _envelope(self, entry: Document) -> Envelope:
        event = event_class(entry["name"])
        if event is None:
            raise TypeError(f"the outbox holds an event this release does not know: {entry['name']}")
        return Envelope(
            id=entry["id"],
            source=self._source,
            time=entry["at"],
            event=event.model_validate_json(entry["data"]),
            request_id=entry.get("request_id"),
        )

    async def clear_once(self) -> None:
        """Take what was confirmed out of the documents, in bulk."""
        for source in self._sources:
            confirmed = dict(source.confirmed)
            if not confirmed:
                continue
            await self._clear_source(source.collection, confirmed)
            for key, value in confirmed.items():
                if source.confirmed.get(key) is value:
                    del source.confirmed[key]

    @staticmethod
    async def _clear_source(collection: Collection, confirmed: dict[str, _Confirmed]) -> None:
        """Empty the outboxes whose version is as read; pull the confirmed entries from the others."""
        await collection.bulk([_clearing(key, value) for key, value in confirmed.items() if value.complete])
        left = await collection.find(
            {"_id": {"$in": list(confirmed)}, "outbox_at": {"$exists": True}}, fields=["_id"]
        )
        keys = [document["_id"] for document in left]
        await collection.bulk(
            [
                UpdateOne({"_id": key}, {"$pull": {"outbox": {"id": {"$in": sorted(confirmed[key].ids)}}}})
                for key in keys
            ]
        )
        await collection.bulk(
            [UpdateOne({"_id": key, "outbox": []}, {"$unset": {"outbox_at": ""}}) for key in keys]
        )


def _clearing(key: str, confirmed: _Confirmed) -> UpdateOne | DeleteOne:
    as_read: Document = {"_id": key, "version": confirmed.version}
    if confirmed.tombstone:
        return DeleteOne(as_read)
    return UpdateOne(as_read, {"$set": {"outbox": []}, "$unset": {"outbox_at": ""}})
