"""Asking LiveKit what is in a room, and telling the living from the ghosts.

LiveKit lists rooms and participants from its store, where those of a server that died stay for good. Whether
a server really has them only a call tells that has to reach that server: 3 s without an answer mean no.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence, Set
from datetime import datetime

from services.egress.reconciler.domain import Look, Present
from services.egress.reconciler.vitals import Vitals
from shared.access.permissions import role_of
from shared.access.room_permissions import user_of
from shared.clock import Clock
from shared.contracts.livekit_events import Connection
from shared.contracts.states import Role, SessionState
from shared.errors import Unavailable
from shared.livekit import LiveKit, LiveKitParticipant, LiveKitRoom

# About rooms, and beside them about participants: calls about what no server has take 3 s.
_CALLS_AT_ONCE = 200
_ASKED_AT_ONCE = 200


class Looker:
    """Remembers the signs of life of each room between its looks, in memory.

    In a room that is looked into for the first time all have to prove that they live: LiveKit may have died
    while nobody looked.
    """

    def __init__(self, livekit: LiveKit, clock: Clock):
        self._livekit = livekit
        self._clock = clock
        self._limit = asyncio.Semaphore(_CALLS_AT_ONCE)
        self._asking = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._vitals: defaultdict[str, Vitals] = defaultdict(Vitals)

    def suspect(self, room: str) -> None:
        """Something happened to the room: all of its participants have to prove anew that they live."""
        self._vitals[room].suspect()

    def suspect_all(self) -> None:
        """Something happened to LiveKit as a whole."""
        for vitals in self._vitals.values():
            vitals.suspect()

    def forget_others(self, rooms: Set[str]) -> None:
        """Nobody will ask for other rooms than these."""
        for room in self._vitals.keys() - rooms:
            del self._vitals[room]

    async def look(self, session: SessionState, listed: LiveKitRoom | None) -> Look:
        """What is in the session's room, which LiveKit lists as `listed`. Raises `Unavailable`."""
        asked_at = self._clock.now()
        vitals = self._vitals[session.id]
        async with self._limit:
            run = await self._livekit.runs_room(session.id)
        vitals.hear_room(asked_at, run=run)
        participants = await self._list(session.id, run=run) if listed else []
        vitals.keep(participants)
        asked = vitals.to_ask(listed, participants, asked_at) if run and listed else []
        if run and listed:
            vitals.hear(asked, await self._answering(session.id, asked), asked_at)
        if asked:
            participants = await self._still_listed(session.id, participants)
        return Look(
            room=session.id,
            observed_at=asked_at,
            room_sid=listed.sid if listed else None,
            silent_since=vitals.silent_since,
            present=tuple(_present(session, one, vitals.dead_since(one.sid)) for one in participants),
            unsure=vitals.unsure(self._clock.now()),
        )

    async def _list(self, room: str, *, run: bool) -> list[LiveKitParticipant]:
        try:
            async with self._limit:
                participants = await self._livekit.list_participants(room)
        except Unavailable:
            if run:
                raise
            return []  # A LiveKit that has the room's server make the list has nobody to ask.
        return [one for one in participants if one.state != "disconnected"]

    async def _still_listed(
        self, room: str, participants: Sequence[LiveKitParticipant]
    ) -> list[LiveKitParticipant]:
        """Without those whose people came back while they were asked: their new connections answered."""
        sids = {one.sid for one in await self._list(room, run=True)}
        return [one for one in participants if one.sid in sids]

    async def _answering(self, room: str, asked: Sequence[LiveKitParticipant]) -> set[str]:
        """The sids of those whom a server has."""

        async def lives(participant: LiveKitParticipant) -> bool:
            async with self._asking:
                return await self._livekit.has_participant(room, participant.identity)

        answers = await asyncio.gather(*(lives(one) for one in asked))
        return {one.sid for one, answer in zip(asked, answers, strict=True) if answer}


def _present(session: SessionState, participant: LiveKitParticipant, dead_since: datetime | None) -> Present:
    return Present(
        connection=_connection(session, participant),
        permissions=participant.permissions,
        active=participant.state == "active",
        dead_since=dead_since,
    )


def _connection(session: SessionState, participant: LiveKitParticipant) -> Connection:
    """With the role that the person has in the session; an ingress is its host."""
    user_id = user_of(participant.identity)
    return Connection(
        participant_sid=participant.sid,
        identity=participant.identity,
        user_id=user_id,
        username=participant.name,
        role=Role.HOST if participant.kind == "ingress" else role_of(session, user_id),
        hidden=participant.permissions.hidden,
        recorder=participant.permissions.recorder,
        kind=participant.kind,
        joined_at=participant.joined_at,
    )
