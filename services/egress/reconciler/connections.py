"""The connections expected in rooms, from webhooks: one document each, its id the participant sid."""

from collections.abc import Collection as Sids
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from services.egress.reconciler.domain import ExpectedConnection
from shared.clock import Clock
from shared.contracts.livekit_events import Connection, ParticipantEvent, ParticipantJoined
from shared.ids import is_id
from shared.persistence.mongo import ASCENDING, Collection, Document, Index, Mongo, UpdateOne

# Longer than any session may last.
_KEPT = timedelta(days=2)
_BRIEF = ("connection.joined_at", "room_sid", "left_at", "presumed_left_at")


class ExpectedConnections:
    collection_name = "connections"
    indexes = (
        Index([("session_id", ASCENDING), ("left_at", ASCENDING), ("presumed_left_at", ASCENDING)]),
        Index([("recorded_at", ASCENDING)], expire_after_seconds=int(_KEPT.total_seconds())),
    )

    def __init__(self, mongo: Mongo, clock: Clock):
        self.collection: Collection = mongo.collection(self.collection_name)
        self._clock = clock

    async def ensure_indexes(self) -> None:
        await self.collection.ensure_indexes(self.indexes)

    async def follow(self, events: Iterable[ParticipantEvent]) -> None:
        """Record webhooks' events; those of rooms that are no sessions of ours are ignored."""
        await self._record([event for event in events if is_id(event.session_id)])

    async def _record(self, events: Sequence[ParticipantEvent]) -> None:
        """Two writes at most. Events commute; the earliest time of leaving holds."""
        documents: dict[str, Document] = {}
        for event in events:
            fresh = self._document(event)
            known = documents.setdefault(fresh["_id"], fresh)
            ends = [one["left_at"] for one in (known, fresh) if one["left_at"]]
            known["left_at"] = min(ends, default=None)
        refused = (await self.collection.insert_many(list(documents.values()))).duplicates
        left = [one for position, one in enumerate(documents.values()) if position in refused]
        # null sorts before every time, so that $min would keep it.
        await self.collection.bulk(
            [
                UpdateOne({"_id": one["_id"], "left_at": None}, {"$set": {"left_at": one["left_at"]}})
                for one in left
                if one["left_at"]
            ]
        )

    def _document(self, event: ParticipantEvent) -> Document:
        return {
            "_id": event.connection.participant_sid,
            "session_id": event.session_id,
            "room_sid": event.room_sid,
            "connection": event.connection.model_dump(mode="json"),
            "left_at": None if isinstance(event, ParticipantJoined) else event.occurred_at,
            "presumed_left_at": None,
            "recorded_at": self._clock.now(),
        }

    async def expected(
        self, session_id: str, room_sid: str | None, listed: Sids[str]
    ) -> dict[str, ExpectedConnection]:
        """The open connections of a session, and of those `listed` (sids) all that are known, by sid.

        `connection` is loaded for those that should be in the room `room_sid` and are not listed there.
        """
        query = {"session_id": session_id, "left_at": None, "presumed_left_at": None}
        documents = await self.collection.find(query, fields=_BRIEF)
        seen = set(listed)
        others = sorted(seen - {document["_id"] for document in documents})
        if others:
            documents += await self.collection.find({"_id": {"$in": others}}, fields=_BRIEF)
        missing = [
            document["_id"]
            for document in documents
            if document["room_sid"] is not None and document["room_sid"] == room_sid
            if document["_id"] not in seen
        ]
        people = await self._people(missing)
        return {document["_id"]: _load(document, people.get(document["_id"])) for document in documents}

    async def _people(self, sids: Sequence[str]) -> dict[str, Connection]:
        if not sids:
            return {}
        documents = await self.collection.find({"_id": {"$in": list(sids)}}, fields=["connection"])
        return {document["_id"]: Connection.model_validate(document["connection"]) for document in documents}

    async def appear(self, session_id: str, room_sid: str | None, connections: Sequence[Connection]) -> None:
        """Expect connections that were observed, also those presumed gone."""
        await self._record(
            [
                ParticipantJoined(
                    session_id=session_id, occurred_at=one.joined_at, connection=one, room_sid=room_sid
                )
                for one in connections
            ]
        )
        seen = {"_id": {"$in": [one.participant_sid for one in connections]}, "left_at": None}
        await self.collection.update_many(seen, {"$set": {"presumed_left_at": None}})

    async def presume_gone(self, gone: Mapping[str, datetime]) -> None:
        """No longer expect these connections, by sid, since the times given."""
        await self.collection.bulk(
            [
                UpdateOne({"_id": sid, "left_at": None}, {"$set": {"presumed_left_at": at}})
                for sid, at in gone.items()
            ]
        )


def _load(document: Document, connection: Connection | None) -> ExpectedConnection:
    return ExpectedConnection(
        joined_at=datetime.fromisoformat(document["connection"]["joined_at"]),
        room_sid=document["room_sid"],
        left_at=document["left_at"],
        presumed_left_at=document["presumed_left_at"],
        connection=connection,
    )
