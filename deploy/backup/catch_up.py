"""After a restore: what was in RabbitMQ is lost, so the owners publish again what others follow.

Nothing is published here: the events are stored in the outboxes, as those are that were not confirmed when
the backup was made, and the services publish them when they run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from deploy.backup.databases import BackedUp, Databases
from services.egress.streams.repository import StreamRepository
from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.repository import SessionRepository
from shared.clock import SystemClock
from shared.contracts.event import Envelope
from shared.contracts.people_and_catalog_events import UserUpdated
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import SessionStatus
from shared.contracts.stream_and_recording_events import StreamChanged
from shared.errors import Unavailable
from shared.persistence.mongo import ASCENDING, Collection, Document, Mongo
from shared.persistence.outbox import Outbox

# Longer than an event waits that is not a dead letter.
_UNDERWAY: Final = timedelta(days=1)
_OPEN = [SessionStatus.SCHEDULED.value, SessionStatus.LIVE.value]
_PAGE = 500


@dataclass(frozen=True)
class CaughtUp:
    """How many states are published again, and how many followed sessions were removed, having no owner."""

    sessions: int
    streams: int
    users: int
    removed: int


async def catch_up(databases: Databases, backed_up_at: datetime) -> CaughtUp:
    """Sessions that are not over or changed within a day, their streams, and people whom nobody knows yet."""
    session, egress, attendance = (databases[service] for service in BackedUp)
    removed = sum([await _remove_orphans(session, follower) for follower in (egress, attendance)])
    recent = {"$or": [{"status": {"$in": _OPEN}}, {"updated_at": {"$gte": backed_up_at - _UNDERWAY}}]}
    ids = [one["_id"] async for page in _pages(session.collection("sessions"), recent) for one in page]
    return CaughtUp(
        sessions=await _publish_sessions(session, ids),
        streams=await _publish_streams(egress, ids),
        users=await _publish_users(session, attendance),
        removed=removed,
    )


async def _publish_sessions(mongo: Mongo, ids: list[str]) -> int:
    sessions = SessionRepository(mongo, unpublished_outbox(), SystemClock())
    for id_ in ids:
        await sessions.change(id_, lambda session: [SessionUpdated(session=session.state())])
    return len(ids)


async def _publish_streams(mongo: Mongo, ids: list[str]) -> int:
    streams = StreamRepository(mongo, unpublished_outbox(), SystemClock())
    known = await streams.find_many(ids)
    for id_ in known:
        await streams.change(id_, lambda stream: [StreamChanged(stream=stream.state())])
    return len(known)


async def _publish_users(owner: Mongo, follower: Mongo) -> int:
    users = UserRepository(owner, unpublished_outbox(), SystemClock())
    count = 0
    async for page in _pages(users.collection, {"tombstone": {"$exists": False}}):
        known = await _ids_in(follower.collection("users"), page)
        for missing in (one["_id"] for one in page if one["_id"] not in known):
            await users.change(missing, lambda user: [UserUpdated(user=user.state())])
            count += 1
    return count


async def _remove_orphans(owner: Mongo, follower: Mongo) -> int:
    """Sessions are asked for if they are not known; a deleted one stays known as such."""
    followed = follower.collection("sessions")
    count = 0
    async for page in _pages(followed, {"deleted": {"$ne": True}}):
        owned = await _ids_in(owner.collection("sessions"), page)
        orphans = [one["_id"] for one in page if one["_id"] not in owned]
        count += await followed.delete_many({"_id": {"$in": orphans}}) if orphans else 0
    return count


async def _ids_in(collection: Collection, page: list[Document]) -> set[str]:
    wanted = {"_id": {"$in": [one["_id"] for one in page]}}
    return {one["_id"] for one in await collection.find(wanted, fields=["_id"])}


async def _pages(collection: Collection, query: Document) -> AsyncIterator[list[Document]]:
    """The ids of what matches, page by page."""
    last: Document = {}
    while page := await collection.find(
        {"$and": [query, last]}, sort=[("_id", ASCENDING)], limit=_PAGE, fields=["_id"]
    ):
        yield page
        last = {"_id": {"$gt": page[-1]["_id"]}}


class _NoBroker:
    async def publish(self, envelope: Envelope) -> None:
        raise Unavailable(f"A restore publishes nothing itself, nor {envelope.event.name}")


def unpublished_outbox() -> Outbox:
    """For repositories that store events here; the services publish them."""
    return Outbox(_NoBroker(), SystemClock(), source="/greenroom/restore")
