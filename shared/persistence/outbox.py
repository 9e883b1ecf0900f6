"""The outbox: events are stored in the document they are about, then published from the store.

A document with unpublished events has `outbox` (a list of entries) and `outbox_at` (the time of the
oldest, sparse-indexed). The relay reads those documents, publishes each one's entries in order with
broker confirms, and clears what was confirmed in bulk, guarded by the version it read. Two relays at
once are harmless: consumers apply an event once. A document with `tombstone` is removed when its
last event is confirmed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from prometheus_client import Counter, Gauge

from shared.bus import Publisher
from shared.bus.spans import sending
from shared.clock import Clock
from shared.contracts.event import Envelope, Event
from shared.contracts.registry import event_class
from shared.errors import Unavailable
from shared.ids import new_id
from shared.persistence.mongo import ASCENDING, Collection, Document, Index
from shared.persistence.outbox_append_only import AppendOnlySource
from shared.persistence.outbox_sources import AggregateSource
from shared.runtime import tracing
from shared.runtime.backoff import Backoff
from shared.runtime.log import current_command, current_request_id
from shared.runtime.tasks import run_all, wait_at_most

log = structlog.get_logger(__name__)

OUTBOX_INDEX = Index([("outbox_at", ASCENDING)], sparse=True)

PUBLISHED = Counter("greenroom_outbox_published_total", "Events confirmed by the broker", ["collection"])
WAITING = Gauge("greenroom_outbox_waiting", "Documents with events not yet confirmed", ["collection"])
OLDEST = Gauge(
    "greenroom_outbox_oldest_seconds",
    "Age of the oldest event that is not confirmed, 0 if there is none",
    ["collection"],
)

_BATCH = 500
# Between tries while the broker is away; short, since all that piled up waits for the end of it.
_BACKOFF = Backoff(0.2, 0.5)
_CONCURRENT_DOCUMENTS = 64


def entries(events: Sequence[Event], now: datetime) -> list[Document]:
    """The outbox entries for `events`, ids assigned: what is pushed in the same write as the change."""
    command = current_command()
    cause = {
        "request_id": current_request_id(),
        "operation": command.operation if command else None,
        "actor": command.actor if command else None,
    }
    if (traceparent := tracing.traceparent()) is not None:
        cause["traceparent"] = traceparent
    return [
        {
            "id": new_id(),
            "name": event.name,
            "at": now,
            **cause,
            "data": event.model_dump_json(),
        }
        for event in events
    ]


class Outbox:
    """The relay of one service. `attach` its collections, `notify` it after a write, `run` it supervised.

    A round reads the collections that were written to; every `sweep` seconds it is thorough and reads all,
    which finds what other replicas left when they died: one that starts begins with such a round.
    """

    def __init__(
        self,
        publisher: Publisher,
        clock: Clock,
        *,
        source: str,
        gather: float = 0.01,
        sweep: float = 5.0,
        clear_every: float = 0.5,
        look_every: float = 10.0,
    ):
        self._publisher = publisher
        self._clock = clock
        self._source = source
        self._gather = gather
        self._sweep = sweep
        self._clear_every = clear_every
        self._look_every = look_every
        self._sources: list[AggregateSource | AppendOnlySource] = []
        self._notified = asyncio.Event()

    def attach(self, collection: Collection) -> AggregateSource:
        """Attach a collection of documents that change; `notify` with what this returns."""
        source = AggregateSource(collection)
        self._sources.append(source)
        return source

    def attach_append_only(self, collection: Collection, marks: Collection) -> AppendOnlySource:
        """Attach a collection of documents that are inserted once and never changed.

        `marks` keeps how far all of it is published.
        """
        source = AppendOnlySource(collection, marks, self._clock)
        self._sources.append(source)
        return source

    def notify(self, source: AggregateSource | AppendOnlySource) -> None:
        """Events were stored in this collection."""
        source.has_new = True
        self._notified.set()

    async def run(self) -> None:
        """Publish and clear until cancelled."""
        await run_all(self._publish_loop(), self._clear_loop(), self._look_loop())

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
        next_sweep = 0.0
        while True:
            thorough = self._now() >= next_sweep
            try:
                more = await self.publish_once(thorough=thorough)
                failures = 0
                if thorough and not more:
                    next_sweep = self._now() + self._sweep
            except Unavailable as error:
                # Read everything again after the pause: nobody may store anything new until then.
                more, next_sweep = True, 0.0
                log.warning("outbox.publish_failed", error=error.message, failures=failures + 1)
                await asyncio.sleep(_BACKOFF.delay(failures))
                failures += 1
            if not more:
                await wait_at_most(self._notified, self._sweep)
            await asyncio.sleep(self._gather)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _clear_loop(self) -> None:
        while True:
            await asyncio.sleep(self._clear_every)
            try:
                await self.clear_once(thorough=False)
            except Unavailable as error:
                log.warning("outbox.clear_failed", error=error.message)

    async def _look_loop(self) -> None:
        while True:
            try:
                await self.look()
            except Unavailable as error:
                log.warning("outbox.look_failed", error=error.message)
            await asyncio.sleep(self._look_every)

    async def look(self) -> None:
        """See how long events have been waiting: by reading, so that a relay that hangs is seen as well."""
        for source in self._sources:
            oldest = await source.oldest()
            age = (self._clock.now() - oldest).total_seconds() if oldest else 0.0
            OLDEST.labels(source.collection.name).set(max(0.0, age))

    async def publish_once(self, *, thorough: bool = True) -> bool:
        """One round over all collections; True if a full batch suggests that more is waiting.

        Unless it is thorough, append-only collections are not read, nor those that nothing was written to.
        """
        self._notified.clear()
        sources = [source for source in self._sources if thorough or source.has_new]
        published = [await self._publish_source(source, thorough) for source in sources]
        return any(published)

    async def _publish_source(self, source: AggregateSource | AppendOnlySource, thorough: bool) -> bool:
        source.has_new = False
        documents = await source.waiting(_BATCH, thorough=thorough)
        WAITING.labels(source.collection.name).set(len(documents))
        limiter = asyncio.Semaphore(_CONCURRENT_DOCUMENTS)
        results = await asyncio.gather(
            *(self._publish_document(source, document, limiter) for document in documents),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        source.has_new = source.has_new or len(documents) >= _BATCH
        return len(documents) >= _BATCH

    async def _publish_document(
        self, source: AggregateSource | AppendOnlySource, document: Document, limiter: asyncio.Semaphore
    ) -> None:
        """Publish one document's entries in order; the first failure ends it, so that none overtakes."""
        done = set(source.done(document["_id"]))
        try:
            async with limiter:
                for entry in document["outbox"]:
                    if entry["id"] not in done:
                        await self._publish(self._envelope(entry))
                        done.add(entry["id"])
                        PUBLISHED.labels(source.collection.name).inc()
        finally:
            if done:
                source.confirm(document, done)

    async def _publish(self, envelope: Envelope) -> None:
        """As a step of the trace that the event was stored in, which whoever handles it continues."""
        if not tracing.is_on():
            await self._publisher.publish(envelope)
            return
        with sending(envelope):
            await self._publisher.publish(replace(envelope, traceparent=tracing.traceparent()))

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
            operation=entry.get("operation"),
            actor=entry.get("actor"),
            traceparent=entry.get("traceparent"),
        )

    async def clear_once(self, *, thorough: bool = True) -> None:
        """Clear what was confirmed; of append-only collections, unless `thorough`, as calm allows."""
        for source in self._sources:
            await source.clear(thorough=thorough)
