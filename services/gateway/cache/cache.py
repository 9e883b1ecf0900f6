"""The cache itself: what is kept, what is being asked for, and what may not be given any more."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter, Gauge

from services.gateway.cache.entry import Entry, ids_in
from services.gateway.cache.ledger import Ledger
from services.gateway.cache.shelf import Shelf
from services.gateway.upstreams.proxy import Fetched
from shared.runtime.metrics import Tally

READS = Tally(
    "greenroom_gateway_cache_reads",
    "Reads that could be cached, by outcome",
    "outcome",
    ["hit", "miss", "shared", "bypass"],
)
_DROPPED = Counter("greenroom_gateway_cache_dropped_total", "Entries dropped because something changed")
_ENTRIES = Gauge("greenroom_gateway_cache_entries", "Answers kept")
_BYTES = Gauge("greenroom_gateway_cache_bytes", "Bytes of the answers kept, about")

# How often somebody joins the asking of another before asking alone.
_TRIES: Final = 3

Build = Callable[[Fetched, frozenset[str], float], Entry | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a service answered; `entry` where it can be kept."""

    fetched: Fetched
    tags: frozenset[str]
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Question:
    """`key` names it, `tags` are those known beforehand; `build` makes an entry of what may be kept."""

    key: str
    tags: frozenset[str]
    ask: Callable[[], Awaitable[Fetched]]
    build: Build


@dataclass(frozen=True, slots=True)
class _Flight:
    mark: int
    task: asyncio.Task[Outcome]


class ReadCache:
    """`listening` while changes are heard of; at other times nothing is kept or given.

    `seconds` counts from when the service was asked, so what is given was true no longer ago than that.
    """

    def __init__(self, shelf: Shelf, seconds: float, monotonic: Callable[[], float]):
        self._shelf = shelf
        self._seconds = seconds
        self._monotonic = monotonic
        self._ledger = Ledger()
        self._flights: dict[str, _Flight] = {}
        self.listening = False
        _ENTRIES.set_function(lambda: len(shelf))
        _BYTES.set_function(lambda: shelf.bytes)

    def find(self, key: str) -> Entry | None:
        entry = self._shelf.get(key)
        if entry is not None and entry.expires_at <= self._monotonic():
            self._shelf.drop(key)
            return None
        return entry

    async def obtain(self, question: Question) -> Outcome:
        """The answer of the service, asked once for all who want to know at the same time.

        Whoever comes while others are asking gets their answer, unless something that it shows has
        changed before they came: the service may have looked before that.
        """
        for _ in range(_TRIES):
            flight = self._flights.get(question.key)
            if flight is None:
                break
            READS.counts["shared"] += 1
            outcome = await asyncio.shield(flight.task)
            if self._ledger.current(flight.mark, outcome.tags):
                return outcome
        READS.counts["miss"] += 1
        return await asyncio.shield(self._launch(question))

    def change(self, tags: Iterable[str]) -> None:
        """What shows any of `tags` is given no more, nor what was asked for before now."""
        tags = list(tags)
        self._ledger.change(tags)
        _DROPPED.inc(self._shelf.drop_tagged(tags))

    def begun(self) -> None:
        """Changes are heard of from now on; what there was before may have changed unheard."""
        self._forget()
        self.listening = True

    def ended(self) -> None:
        self.listening = False
        self._forget()

    async def close(self) -> None:
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> None:
        self._ledger.change_all()
        _DROPPED.inc(self._shelf.clear())

    def _launch(self, question: Question) -> asyncio.Task[Outcome]:
        task = asyncio.create_task(self._fill(question, self._ledger.mark()))
        flight = _Flight(self._ledger.mark(), task)
        self._flights[question.key] = flight
        task.add_done_callback(lambda done: self._landed(question.key, flight, done))
        return task

    def _landed(self, key: str, flight: _Flight, task: asyncio.Task[Outcome]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # everybody who waited for it may have gone

    async def _fill(self, question: Question, mark: int) -> Outcome:
        expires_at = self._monotonic() + self._seconds
        fetched = await question.ask()
        tags = question.tags | ids_in(fetched.body)
        entry = question.build(fetched, tags, expires_at)
        now = self._monotonic()
        if entry and self.listening and now < expires_at and self._ledger.current(mark, tags):
            self._shelf.put(question.key, entry, now)
        return Outcome(fetched, tags, entry)
