"""Viewers joining and leaving: exact counts, and the rate beside raw bulk writes.

    python -m tests.bench.attendance_load [people, default 10000]

On a private stack the running attendance service takes everybody's joining and leaving from
RabbitMQ. The baselines write the same documents in bulks of 500 to the same database server first:
the presences alone (inserted, then closed), and the presences and attendances.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from rich.console import Console as Terminal

from deploy.local.data_dir import DataDir
from deploy.local.stack import Stack
from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.presence.repository import PresenceRepository
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import Connection
from shared.contracts.session_events import SessionStarted
from shared.ids import new_id
from shared.persistence.mongo import Collection, Document, InsertOne, Mongo, UpdateOne
from tests.running_stack import private_stack
from tests.unit.attendance.builders import at, connection, joined, left, session

BULK = 500
IN_FLIGHT = 200
DEADLINE = 900.0
ALL = 2**31 - 1


@dataclass
class Viewers:
    session_id: str
    connections: list[Connection]

    @classmethod
    def of(cls, people: int, session_id: str) -> "Viewers":
        users = [new_id() for _ in range(people)]
        return cls(session_id, [connection(user, f"PA_{user[-12:]}", at(0)) for user in users])

    def presences(self) -> Iterator[Document]:
        for one in self.connections:
            yield {
                "_id": one.participant_sid,
                "session_id": self.session_id,
                "user_id": one.user_id,
                "identity": one.identity,
                "username": one.username,
                "role": "audience",
                "counted": True,
                "active": True,
                "open": True,
                "joined_at": one.joined_at,
            }

    def attendances(self) -> Iterator[Document]:
        for one in self.connections:
            yield {
                "_id": one.user_id,
                "session_id": self.session_id,
                "user_id": one.user_id,
                "username": one.username,
                "folded_name": one.username,
                "joined_at": one.joined_at,
                "version": 1,
            }


async def inserting(collection: Collection, documents: list[Document]) -> float:
    """Seconds to insert the documents in bulks."""
    started = time.perf_counter()
    for start in range(0, len(documents), BULK):
        await collection.bulk([InsertOne(one) for one in documents[start : start + BULK]])
    return time.perf_counter() - started


async def closing(collection: Collection, documents: list[Document]) -> float:
    """Seconds to store when each was left, in bulks."""
    started = time.perf_counter()
    change: Document = {"$min": {"left_at": at(60), "open": False}}
    for start in range(0, len(documents), BULK):
        part = documents[start : start + BULK]
        await collection.bulk([UpdateOne({"_id": one["_id"]}, change) for one in part])
    return time.perf_counter() - started


async def baselines(stack: Stack, people: int) -> tuple[float, float]:
    """Seconds for the presences, and for the attendances."""
    uri = urlunsplit(urlsplit(stack.mongodb.attendance)._replace(path="/bench"))
    mongo = Mongo.from_uri(uri, timeout=60)
    turns = asyncio.Lock()
    presences, attendances = PresenceRepository(mongo, turns), AttendanceRepository(mongo, turns)
    await presences.ensure_indexes()
    await attendances.ensure_indexes()
    viewers = Viewers.of(people, new_id())
    documents = list(viewers.presences())
    first = await inserting(presences.collection, documents)
    first += await closing(presences.collection, documents)
    second = await inserting(attendances.collection, list(viewers.attendances()))
    mongo.close()
    return first, second


async def publish(bus: RabbitBus, events: list[Event]) -> None:
    limit = asyncio.Semaphore(IN_FLIGHT)

    async def one(event: Event) -> None:
        async with limit:
            await bus.publish(Envelope(new_id(), "/greenroom/bench", SystemClock().now(), event))

    await asyncio.gather(*(one(event) for event in events))


async def measure(stack: Stack, people: int) -> tuple[float, float]:
    """Seconds until all is published, and until every attendance and count is exact."""
    state = session()
    viewers = Viewers.of(people, state.id)
    bus = RabbitBus(stack.amqp_url, service="bench")
    await bus.start()
    started = time.perf_counter()
    came: list[Event] = [joined(state.id, one) for one in viewers.connections]
    await publish(bus, [SessionStarted(session=state), *came])
    await publish(bus, [left(state.id, one, at(60)) for one in viewers.connections])
    published = time.perf_counter() - started
    mongo = Mongo.from_uri(stack.mongodb.attendance, timeout=60)
    while not await exact(mongo, state.id, people):
        if time.perf_counter() - started > DEADLINE:
            raise TimeoutError("the counts are not exact")
    counted = time.perf_counter() - started
    await bus.stop_consuming()
    await bus.close()
    mongo.close()
    return published, counted


async def exact(mongo: Mongo, session_id: str, people: int) -> bool:
    """Whether attendances and count are right, looked at only when nothing is left to do."""
    await asyncio.sleep(0.5)
    if await mongo.collection("marks").find_one({}):
        return False
    attended = await mongo.collection("attendances").count({"session_id": session_id}, limit=ALL)
    gone: Document = {"session_id": session_id, "open": False, "left_at": at(60)}
    left_ones = await mongo.collection("presences").count(gone, limit=ALL)
    audience = await mongo.collection("audiences").find_one({"_id": session_id})
    # Where all had left before the first count, there was never anything to tell of an audience.
    return attended == left_ones == people and (audience is None or audience["viewer_count"] == 0)


async def main(stack: Stack, people: int) -> None:
    presences, attendances = await baselines(stack, people)
    published, counted = await measure(stack, people)
    changes = 2 * people
    out = Terminal()
    out.print(f"{changes} presence changes of {people} people; asyncio; the stack's local database")
    for name, seconds in (
        ("raw bulk_write, presences", presences),
        ("raw bulk_write, presences and attendances", presences + attendances),
        ("published to RabbitMQ", published),
        ("attendance exact", counted),
    ):
        out.print(f"{name:44} {seconds:6.1f} s {changes / seconds:7.0f}/s")
    alone, all_ = presences / counted, (presences + attendances) / counted
    out.print(f"ratio to the presences alone {alone:.2f}, to all documents {all_:.2f}")


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder, private_stack(DataDir.at(Path(folder))) as running:
        asyncio.run(main(running.info, number))
