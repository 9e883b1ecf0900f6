"""The projected sessions, with their whole state; those that are over are kept for a while."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from shared.clock import Clock
from shared.contracts.states import SessionState, SessionStatus
from shared.http.session_service import SessionOwner
from shared.persistence.mongo import ASCENDING, Document, Index, Mongo
from shared.session_projection.projection import SessionProjection

_KEPT = timedelta(days=7)
_OVER = frozenset({SessionStatus.ENDED, SessionStatus.EXPIRED})


@dataclass(frozen=True)
class KnownSession:
    """`deleted` is for good, whatever comes later; `complete` as in `ProjectedSession`."""

    state: SessionState
    deleted: bool = False
    complete: bool = True

    @property
    def id(self) -> str:
        return self.state.id

    @property
    def version(self) -> int:
        return self.state.version

    @property
    def live(self) -> bool:
        return self.state.status is SessionStatus.LIVE and not self.deleted

    @property
    def pending(self) -> bool:
        """Whether its room waits for the first participant, who starts it."""
        scheduled = self.state.status is SessionStatus.SCHEDULED and not self.deleted
        return scheduled and self.state.options.auto_session

    @property
    def over(self) -> bool:
        """For good: it never goes live again."""
        return self.deleted or self.state.status in _OVER


class EgressSessionProjection(SessionProjection[KnownSession]):
    indexes: ClassVar[tuple[Index, ...]] = (
        Index([("live", ASCENDING)], sparse=True),
        Index([("pending", ASCENDING)], sparse=True),
        Index([("over_at", ASCENDING)], expire_after_seconds=int(_KEPT.total_seconds())),
    )
    sparse: ClassVar[tuple[str, ...]] = ("live", "pending")

    def __init__(self, mongo: Mongo, owner: SessionOwner, clock: Clock):
        super().__init__(mongo, owner)
        self._clock = clock

    async def list_live(self) -> list[KnownSession]:
        """The sessions that are live as far as events reported."""
        return await self._list("live")

    async def list_pending(self) -> list[KnownSession]:
        """The same of those that wait for their first participant."""
        return await self._list("pending")

    async def _list(self, phase: str) -> list[KnownSession]:
        known = [self.load(document) for document in await self.collection.find({phase: True})]
        return await asyncio.gather(*(self.completed(one) for one in known))

    def view(self, state: SessionState, *, deleted: bool = False) -> KnownSession:
        return KnownSession(state, deleted, state.complete)

    def dump(self, session: KnownSession) -> Document:
        unknown = None if session.complete else {"registered_only"}
        document: Document = {
            "version": session.version,
            "deleted": session.deleted,
            "state": session.state.model_dump(mode="json", exclude=unknown),
        }
        if session.live:
            document["live"] = True
        if session.pending:
            document["pending"] = True
        if session.over:
            document["over_at"] = self._clock.now()
        return document

    def load(self, document: Document) -> KnownSession:
        return self.view(SessionState.model_validate(document["state"]), deleted=document["deleted"])
