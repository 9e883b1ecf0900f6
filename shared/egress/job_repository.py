"""Jobs and recorders in the database. Leases are guarded writes: no clocks are compared."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from shared.egress.engine import EgressStatus
from shared.egress.jobs import Job, RegisteredRecorder, Wanted
from shared.persistence.mongo import ASCENDING, Collection, Document, Duplicate, Index, Mongo

_ADAPTER: Final = TypeAdapter(Job)
_OPEN: Final = [status.value for status in EgressStatus if not status.over]
_DAY: Final = 24 * 3600


class JobRepository:
    collection_name = "recorder_jobs"

    def __init__(self, mongo: Mongo):
        self._collection: Collection = mongo.collection(self.collection_name)

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes(
            [
                Index((("status", ASCENDING),)),
                Index((("session_id", ASCENDING),)),
                Index((("egress_id", ASCENDING),), unique=True),
            ]
        )

    async def add(self, job: Job) -> None:
        """Store a new job; an existing one stays as it is."""
        try:
            await self._collection.insert(_document(job))
        except Duplicate:
            return

    async def find(self, key: str) -> Job | None:
        found = await self._collection.find_one({"_id": key})
        return _job(found) if found else None

    async def open(self) -> list[Job]:
        """All that are not over, the oldest first."""
        found = await self._collection.find({"status": {"$in": _OPEN}}, sort=(("_id", ASCENDING),))
        return [_job(document) for document in found]

    async def of_session(self, session_id: str) -> list[Job]:
        return [_job(found) for found in await self._collection.find({"session_id": session_id})]

    async def stop(self, egress_id: str) -> None:
        """Have it stopped; this is final."""
        await self._collection.update({"egress_id": egress_id}, {"$set": {"wanted": Wanted.STOPPED.value}})

    async def reopen(self, key: str) -> bool:
        """Have a recorder finalize a job that is over again; False if there is no such job."""
        over = {"_id": key, "status": {"$nin": _OPEN}}
        change = {
            "status": EgressStatus.ENDING.value,
            "wanted": Wanted.STOPPED.value,
            "error": None,
            "recorder_id": None,
        }
        return bool(await self._collection.update(over, {"$set": change}))

    async def take(self, job: Job, recorder_id: str) -> Job | None:
        """Hold the job under a new epoch, if its lease is still as given; None if it is not."""
        seen = {"_id": job.key, "epoch": job.epoch, "beat": job.beat, "recorder_id": job.recorder_id}
        taken = {"$set": {"recorder_id": recorder_id, "beat": 0}, "$inc": {"epoch": 1}}
        found = await self._collection.find_and_update(seen | {"status": {"$in": _OPEN}}, taken)
        return _job(found) if found else None

    async def renew(self, job: Job) -> bool:
        """Renew the lease of a job that is held; False if another recorder has taken over."""
        return bool(await self._collection.update(_held(job), {"$inc": {"beat": 1}}))

    async def release(self, job: Job) -> None:
        """Let another recorder take it immediately."""
        await self._collection.update(_held(job), {"$set": {"recorder_id": None}})

    async def change(self, job: Job, **fields: Any) -> Job | None:
        """Write fields of a job that is held; None if another recorder has taken over."""
        changed = _document(replace(job, **fields))
        change = {name: changed[name] for name in fields}
        found = await self._collection.find_and_update(_held(job), {"$set": change})
        return _job(found) if found else None


class RecorderRepository:
    """The recorder processes, which register every few seconds."""

    collection_name = "recorders"

    def __init__(self, mongo: Mongo):
        self._collection: Collection = mongo.collection(self.collection_name)

    async def ensure_indexes(self) -> None:
        await self._collection.ensure_indexes([Index((("seen_at", ASCENDING),), expire_after_seconds=_DAY)])

    async def register(self, recorder_id: str, now: datetime, *, jobs: int, capacity: int) -> None:
        change = {"seen_at": now, "jobs": jobs, "capacity": capacity}
        await self._collection.update({"_id": recorder_id}, {"$set": change}, upsert=True)

    async def remove(self, recorder_id: str) -> None:
        await self._collection.delete_many({"_id": recorder_id})

    async def all(self) -> Sequence[RegisteredRecorder]:
        found = await self._collection.find({})
        return [RegisteredRecorder(id=one.pop("_id"), **one) for one in found]


def _held(job: Job) -> Document:
    return {"_id": job.key, "epoch": job.epoch, "recorder_id": job.recorder_id}


def _document(job: Job) -> Document:
    fields = asdict(job)
    return {"_id": fields.pop("key"), "look": fields.pop("encoding"), **fields, "gaps": list(fields["gaps"])}


def _job(document: Document) -> Job:
    return _ADAPTER.validate_python(document | {"key": document["_id"], "encoding": document["look"]})
