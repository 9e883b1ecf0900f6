"""Where sign-ins and auth codes are kept."""

from dataclasses import fields
from datetime import datetime, timedelta

from services.session.identity.signin.domain import AuthCode, SignIn
from shared.access.revocations import SIGN_INS_MATTER, Revoked
from shared.persistence.mongo import ASCENDING, Document, Index, Mongo

_FIELDS = frozenset(field.name for field in fields(SignIn))


class SignInRepository:
    indexes = (
        Index([("user_id", ASCENDING)]),
        Index([("expires_at", ASCENDING)], expire_after_seconds=0),
        Index([("revoked_at", ASCENDING)], sparse=True),
    )

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("sign_ins")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def add(self, sign_in: SignIn) -> None:
        document: Document = {
            "_id": sign_in.id,
            "user_id": sign_in.user_id,
            "generation": sign_in.generation,
            "rotated_at": sign_in.rotated_at,
            "expires_at": sign_in.expires_at,
        }
        await self.collection.insert(document | _via(sign_in.via))

    async def find(self, id: str) -> SignIn | None:
        document = await self.collection.find_one({"_id": id})
        return _load(document) if document else None

    async def rotate(self, id: str, generation: int, now: datetime, lifetime: timedelta) -> bool:
        """Advance from `generation`; False if somebody else did, or the family was revoked."""
        change: Document = {
            "$set": {"generation": generation + 1, "rotated_at": now, "expires_at": now + lifetime}
        }
        query = {"_id": id, "generation": generation, "revoked_at": {"$exists": False}}
        return bool(await self.collection.update(query, change))

    async def revoke(self, id: str, now: datetime) -> None:
        await self.collection.update({"_id": id, "revoked_at": {"$exists": False}}, _revocation(now))

    async def revoke_all(self, user_id: str, now: datetime) -> None:
        await self.collection.update_many(
            {"user_id": user_id, "revoked_at": {"$exists": False}}, _revocation(now)
        )

    async def since(self, moment: datetime) -> list[Revoked]:
        """The sign-ins that were revoked at `moment` or later."""
        documents = await self.collection.find({"revoked_at": {"$gte": moment}}, fields=["revoked_at"])
        ended = [(document["_id"], document["revoked_at"]) for document in documents]
        return [Revoked(id=id, at=at, until=at + SIGN_INS_MATTER, sign_in=True) for id, at in ended]


class AuthCodeRepository:
    """Codes by their hash; taking one removes it, so that each works once."""

    indexes = (Index([("expires_at", ASCENDING)], expire_after_seconds=0),)

    def __init__(self, mongo: Mongo):
        self.collection = mongo.collection("auth_codes")

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def add(self, code_hash: str, code: AuthCode, session_id: str, expires_at: datetime) -> None:
        document = {"_id": code_hash, "user_id": code.user_id, "session_id": session_id}
        made = {"sign_in_id": code.sign_in_id, "expires_at": expires_at}
        await self.collection.insert(document | made | _via(code.via))

    async def take(self, code_hash: str, now: datetime) -> AuthCode | None:
        """Whom the code signs in; None for a code that is unknown, used or over."""
        document = await self.collection.find_and_delete({"_id": code_hash})
        if document is None or document["expires_at"] <= now:
            return None
        return AuthCode(document["user_id"], document.get("via"), document.get("sign_in_id"))


def _revocation(now: datetime) -> Document:
    return {"$set": {"revoked_at": now}}


def _load(document: Document) -> SignIn:
    return SignIn(id=document["_id"], **{name: document[name] for name in document.keys() & _FIELDS})


def _via(key_id: str | None) -> Document:
    return {} if key_id is None else {"via": key_id}
