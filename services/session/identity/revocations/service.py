"""Revoking sign-ins and access tokens, and reporting that to every service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shared.access.revocations import OTHERS_MATTER, SIGN_INS_MATTER, Revoked
from shared.clock import Clock
from shared.persistence.mongo import ASCENDING, Document, Index, Mongo


class RevocationRepository:
    """API keys and people that ended, kept while tokens of theirs may live. Sign-ins say it of themselves."""

    indexes = (
        Index([("at", ASCENDING)]),
        Index([("until", ASCENDING)], expire_after_seconds=0),
    )

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("revocations")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def add(self, id: str, now: datetime) -> None:
        """As of now; an earlier revocation is replaced."""
        times = {"at": now, "until": now + OTHERS_MATTER}
        await self.collection.update({"_id": id}, {"$set": times}, upsert=True)

    async def find(self, id: str) -> Revoked | None:
        document = await self.collection.find_one({"_id": id})
        return _load(document) if document else None

    async def since(self, moment: datetime) -> list[Revoked]:
        documents = await self.collection.find({"at": {"$gte": moment}})
        return [_load(one) for one in documents]


def _load(document: Document) -> Revoked:
    return Revoked(id=document["_id"], at=document["at"], until=document["until"])


class RevokedSignIns(Protocol):
    async def revoke_all(self, user_id: str, now: datetime) -> None: ...

    async def since(self, moment: datetime) -> list[Revoked]: ...


class RevocationService:
    """A source of revocations, for this service and the others."""

    def __init__(self, revocations: RevocationRepository, sign_ins: RevokedSignIns, clock: Clock):
        self._revocations = revocations
        self._sign_ins = sign_ins
        self._clock = clock

    async def end_sign_ins(self, user_id: str) -> None:
        """The person has to sign in again, everywhere."""
        await self._sign_ins.revoke_all(user_id, self._clock.now())

    async def end_tokens(self, user_id: str) -> None:
        """All access tokens issued to the person until now; refreshing returns new ones."""
        await self._revocations.add(user_id, self._clock.now())

    async def end_person(self, user_id: str) -> None:
        await self.end_sign_ins(user_id)
        await self.end_tokens(user_id)

    async def end_key(self, key_id: str) -> None:
        """The key's own tokens, and those of all sign-ins through it."""
        await self._revocations.add(key_id, self._clock.now())

    async def covers_person(self, user_id: str, asked_at: datetime) -> bool:
        """Whether what a person was given at that time has been revoked since."""
        person = await self._revocations.find(user_id)
        return person is not None and asked_at <= person.at

    async def since(self, moment: datetime) -> Sequence[Revoked]:
        """What was revoked at `moment` or later and still matters."""
        # Sign-ins are many, and their tokens short-lived.
        recent = max(moment, self._clock.now() - SIGN_INS_MATTER)
        return [*await self._sign_ins.since(recent), *await self._revocations.since(moment)]
