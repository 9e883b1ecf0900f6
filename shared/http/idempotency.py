"""Idempotency-Key: a repeated POST has one effect.

The owning service keeps (caller, route, key) with the id reserved for what the call creates. The
handler runs again on a repeat: it finds the thing under the reserved id instead of making a second
one, and mints new tokens, since tokens are never stored. A duplicate in flight waits; once the call
was answered there is nothing to wait for, and repeats are handled side by side without a write.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import Conflict, FieldError, InvalidRequest
from shared.ids import new_id
from shared.persistence.mongo import ASCENDING, Collection, Document, Duplicate, Index, Mongo

HEADER: Final = "Idempotency-Key"
KEPT = timedelta(hours=24)

_LONGEST_KEY = 255
_HELD = timedelta(seconds=15)
_WAIT = timedelta(seconds=5)
# How long a duplicate waits before it looks again: longer each time, since there may be hundreds.
_POLL, _LONGEST_POLL = 0.05, 0.5


@dataclass(frozen=True)
class Reservation:
    """The id for what a call creates; `repeated` if the same call was already answered."""

    id: str
    repeated: bool = False

    @classmethod
    def fresh(cls) -> "Reservation":
        return cls(new_id())


class IdempotencyKeys:
    """The keys of one service, kept for a day."""

    indexes = (Index([("created_at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),)

    def __init__(self, mongo: Mongo, clock: Clock):
        self._collection: Collection = mongo.collection("idempotency_keys")
        self._clock = clock

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes(self.indexes)

    @asynccontextmanager
    async def hold(self, *, caller: str, route: str, key: str, body: bytes) -> AsyncIterator[Reservation]:
        """Hold the key while the call is handled.

        Raises `InvalidRequest` for a key that was used with another body (or is empty or over 255
        characters), and `Conflict` if the first call is still in flight after 5 s.
        """
        if not 0 < len(key) <= _LONGEST_KEY:
            raise InvalidRequest([FieldError(HEADER, "length", f"must have 1 to {_LONGEST_KEY} characters")])
        name = hashlib.sha256(f"{caller}\n{route}\n{key}".encode(errors="surrogateescape")).hexdigest()
        digest = hashlib.sha256(body).hexdigest()
        record = await self._take(name, digest)
        if record["answered"]:
            yield Reservation(record["resource_id"], repeated=True)
            return
        answered = False
        try:
            yield Reservation(record["resource_id"])
            answered = True
        finally:
            change: Document = {"held_until": None}
            if answered:
                change["answered"] = True
            await self._collection.update({"_id": name, "holder": record["holder"]}, {"$set": change})

    async def _take(self, name: str, digest: str) -> Document:
        """The record, answered or held by us now; raises `InvalidRequest`, `Conflict`."""
        now = self._clock.now()
        fresh = {
            "_id": name,
            "body": digest,
            "resource_id": new_id(),
            "answered": False,
            "created_at": now,
            "holder": new_id(),
            "held_until": now + _HELD,
        }
        try:
            await self._collection.insert(fresh)
        except Duplicate:
            return await self._wait(name, digest)
        return fresh

    async def _wait(self, name: str, digest: str) -> Document:
        deadline, pause = self._clock.now() + _WAIT, _POLL
        while True:
            record = await self._look(name, digest)
            if record is not None:
                return record
            if self._clock.now() >= deadline:
                raise Conflict(
                    "The first call with this Idempotency-Key is still being handled", code="in_flight"
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_POLL)

    async def _look(self, name: str, digest: str) -> Document | None:
        """The record if it is answered, or was free and is ours now; None while another call holds it."""
        known = await self._collection.find_one({"_id": name})
        if known is None:
            return None
        if known["body"] != digest:
            raise InvalidRequest(
                [FieldError(HEADER, "reused", "was used with another body")],
                "This Idempotency-Key was used with another body",
            )
        now = self._clock.now()
        if known["answered"]:
            return known
        if known["held_until"] is not None and known["held_until"] > now:
            return None
        return await self._collection.find_and_update(
            {"_id": name, "answered": False, "holder": known["holder"]},
            {"$set": {"holder": new_id(), "held_until": now + _HELD}},
        )
