"""Revoking sign-ins and access tokens, and reporting that to every service."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.access.revocations import OTHERS_MATTER, SIGN_INS_MATTER, Revoked
from shared.clock import Clock
from shared.persistence.mongo import ASCENDING, Document, Index, Mongo


class RevocationRepository:
    """API keys and people that ended, kept while what they were given may be used.

    Sign-ins say it of themselves.
    """

    indexes = (
        Index([("at", ASCENDING)]),
        Index([("until", ASCENDING)], expire_after_seconds=0),
    )

    def __init__(self, mongo: Mongo, kept_for: timedelta = OTHERS_MATTER):
        self.collection = mongo.collection("revocations")
        self._kept_for = kept_for

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def add(self, id: str, now: datetime, *, for_good: bool = False) -> None:
        """As of now; an earlier revocation is replaced, but for good is for good."""
        fields: Document = {"at": now, "until": now + self._kept_for}
        if for_good:
            fields["for_good"] = True
        await self.collection.update({"_id": id}, {"$set": fields}, upsert=True)

    async def find(self, id: str) -> Revoked | None:
        document = await self.collection.find_one({"_id": id})
        return _load(document) if document else None

    async def since(self, moment: datetime) -> list[Revoked]:
        documents = await self.collection.find({"at": {"$gte": moment}})
        return [_load(one) for one in documents]


def _load(document: Document) -> Revoked:
    for_good = document.get("for_good", False)
    return Revoked(id=document["_id"], at=document["at"], until=document["until"], for_good=for_good)


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

    async def end_tokens(self, id: str) -> None:
        """All access tokens issued to a person, or through an API key, until now; they may get new ones."""
        await self._revocations.add(id, self._clock.now())

    async def end_person(self, user_id: str) -> None:
        await self.end_sign_ins(user_id)
        await self.end_tokens(user_id)

    async def end_key(self, key_id: str) -> None:
        """The key's own tokens, and those of all sign-ins through it."""
        await self._revocations.add(key_id, self._clock.now(), for_good=True)

    async def cover(self, ids: Iterable[str], asked_at: datetime) -> bool:
        """Whether what these, a person or an API key, were given at that time has been revoked since."""
        found = [await self._revocations.find(id) for id in ids]
        return any(one is not None and one.covers(asked_at.timestamp()) for one in found)

    async def since(self, moment: datetime) -> Sequence[Revoked]:
        """What was revoked at `moment` or later and still matters."""
        # Sign-ins are many, and their tokens short-lived.
        recent = max(moment, self._clock.now() - SIGN_INS_MATTER)
        return [*await self._sign_ins.since(recent), *await self._revocations.since(moment)]
