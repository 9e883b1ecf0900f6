"""The newest state of each session, from events; what none has reported yet is asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import ClassVar, Generic, Protocol, TypeVar

from shared.contracts.session_events import SessionDeleted, SessionEvent
from shared.contracts.states import SessionState
from shared.errors import Unavailable
from shared.http.session_service import SessionOwner
from shared.persistence.batching import ReadBatcher
from shared.persistence.mongo import Collection, Document, Index, Mongo, UpdateOne
from shared.runtime.tasks import KeyedLocks


class ProjectedSession(Protocol):
    """`deleted` is for good, whatever comes later. `complete`: it says whether it admits guests, which states
    that earlier releases stored or report do not.
    """

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def deleted(self) -> bool: ...

    @property
    def complete(self) -> bool: ...


V = TypeVar("V", bound=ProjectedSession)
V_contra = TypeVar("V_contra", bound=ProjectedSession, contravariant=True)


class SessionObserver(Protocol[V_contra]):
    async def changed(self, before: Mapping[str, V_contra], after: Mapping[str, V_contra]) -> None:
        """The states of `after` were received, even if they are not newer; `before` were known, both by
        id."""
        ...


class SessionProjection(ABC, Generic[V]):
    """One document a session; deleted ones stay, so that late events find them deleted."""

    collection_name: ClassVar[str] = "sessions"
    indexes: ClassVar[tuple[Index, ...]] = ()
    # Fields that are removed again if a later state is without them.
    sparse: ClassVar[tuple[str, ...]] = ()

    def __init__(self, mongo: Mongo, owner: SessionOwner, observer: SessionObserver[V] | None = None):
        self.collection: Collection = mongo.collection(self.collection_name)
        self._owner = owner
        self._observer = observer
        self._reads = ReadBatcher(self._read, self.collection_name)
        self._turns = KeyedLocks()

    @abstractmethod
    def view(self, state: SessionState, *, deleted: bool = False) -> V: ...

    @abstractmethod
    def dump(self, session: V) -> Document:
        """The fields to store, `_id` aside; among them `version` and, if it is deleted, `deleted`."""

    @abstractmethod
    def load(self, document: Document) -> V: ...

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def follow(self, *events: SessionEvent) -> None:
        await self.save(
            self.view(event.session, deleted=isinstance(event, SessionDeleted)) for event in events
        )

    async def known(self, ids: Iterable[str]) -> dict[str, V]:
        """Those of these sessions that events have reported, deleted ones included, by id."""
        return await self._reads.many(ids)

    async def stored(self, session_id: str) -> V | None:
        """The session as events reported it."""
        return await self._reads.one(session_id)

    async def find(self, session_id: str) -> V | None:
        """The same; one that no event has reported, or that is not complete, is asked for.

        Raises `Unavailable`.
        """
        known = await self.stored(session_id)
        return known if known and (known.complete or known.deleted) else await self.ask(session_id)

    async def completed(self, known: V) -> V:
        """The session; one that is not complete as its owner has it now, if the owner answers."""
        if known.complete or known.deleted:
            return known
        with suppress(Unavailable):
            return await self.ask(known.id) or known
        return known

    async def ask(self, session_id: str) -> V | None:
        """The session as its owner has it now, None if there is none. Raises `Unavailable`."""
        state = await self._owner.ask(session_id)
        if state is None:
            return None
        session = self.view(state)
        await self.save([session])
        return session

    async def save(self, sessions: Iterable[V]) -> None:
        """Store those that are newer than what is stored; a deletion always holds."""
        newest: dict[str, V] = {}
        for session in sorted(sessions, key=lambda one: (one.deleted, one.version)):
            newest[session.id] = session
        if not newest:
            return
        async with AsyncExitStack() as turns:
            # Several groups receive each event, and a write without effect costs as much as any other.
            for id_ in sorted(newest):
                await turns.enter_async_context(self._turns.of(id_))
            before = await self.known(newest)
            writes = [
                self._write(one, before.get(id_))
                for id_, one in newest.items()
                if _is_news(before.get(id_), one)
            ]
            # What is not newer matches nothing and is refused as a second insert. So may be a newer one that
            # raced the first insert of its id by another replica: hence once more.
            refused = (await self.collection.bulk(writes)).duplicates
            await self.collection.bulk([writes[position] for position in refused])
        if self._observer is not None:
            await self._observer.changed(before, newest)

    def _write(self, session: V, known: V | None) -> UpdateOne:
        older: Document = {"_id": session.id, "deleted": {"$ne": True}}
        if not session.deleted:
            older["version"] = {"$lt" if known is None or known.complete else "$lte": session.version}
        fields = self.dump(session)
        change: Document = {"$set": fields}
        if gone := {name: "" for name in self.sparse if name not in fields}:
            change["$unset"] = gone
        return UpdateOne(older, change, upsert=True)

    async def _read(self, ids: Sequence[str]) -> dict[str, V]:
        documents = await self.collection.find({"_id": {"$in": list(ids)}})
        return {document["_id"]: self.load(document) for document in documents}


def _is_news(known: ProjectedSession | None, session: ProjectedSession) -> bool:
    if known is None or known.deleted:
        return known is None
    return session.deleted or (session.version, session.complete) > (known.version, known.complete)
