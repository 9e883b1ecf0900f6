"""Asking LiveKit what is in a room, and telling live participants from stale ones.

LiveKit lists rooms and participants from its store, where those of a server that died stay for good. Only a
call that has to reach the server shows whether it really has them: 3 s without an answer mean no.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence, Set

from services.egress.reconciler.domain import ListedParticipant, RoomSnapshot
from services.egress.reconciler.liveness import Liveness
from shared.access.permissions import role_of
from shared.access.room_permissions import user_of
from shared.clock import Clock
from shared.contracts.livekit_events import Connection
from shared.contracts.states import Role, SessionState
from shared.errors import Unavailable
from shared.livekit import LiveKit, LiveKitParticipant, LiveKitRoom
from shared.livekit.join_terms import JoinTerms
from shared.livekit.tokens import GUEST_ATTRIBUTE, KEY_ATTRIBUTE, issued_at

# About rooms, and about participants: calls about what no server has take 3 s.
_CALLS_AT_ONCE = 200
_ASKED_AT_ONCE = 200


class RoomProbe:
    """Remembers the liveness of each room between its snapshots, in memory.

    In a room that is probed for the first time all have to answer: LiveKit may have died unnoticed.
    """

    def __init__(self, livekit: LiveKit, clock: Clock):
        self._livekit = livekit
        self._clock = clock
        self._limit = asyncio.Semaphore(_CALLS_AT_ONCE)
        self._asking = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._liveness: defaultdict[str, Liveness] = defaultdict(Liveness)

    def suspect(self, room: str) -> None:
        """Something happened to the room: all of its participants have to answer again."""
        self._liveness[room].suspect()

    def suspect_all(self) -> None:
        """Something happened to LiveKit as a whole."""
        for liveness in self._liveness.values():
            liveness.suspect()

    def retain(self, rooms: Set[str]) -> None:
        """Forget all other rooms."""
        for room in self._liveness.keys() - rooms:
            del self._liveness[room]

    async def snapshot(self, session: SessionState, listed: LiveKitRoom | None) -> RoomSnapshot:
        """What is in the session's room, which LiveKit lists as `listed`. Raises `Unavailable`."""
        asked_at = self._clock.now()
        liveness = self._liveness[session.id]
        async with self._limit:
            running = await self._livekit.runs_room(session.id)
        liveness.record_room(asked_at, running=running)
        participants = await self._list(session.id, running=running) if listed else []
        liveness.retain(participants)
        asked = liveness.to_ask(listed, participants, asked_at) if running and listed else []
        if running and listed:
            liveness.record(asked, await self._answering(session.id, asked), asked_at)
        if asked:
            # Without those who reconnected while they were asked: their new connections answered.
            sids = {one.sid for one in await self._list(session.id, running=True)}
            participants = [one for one in participants if one.sid in sids]
        return RoomSnapshot(
            room=session.id,
            observed_at=asked_at,
            room_sid=listed.sid if listed else None,
            silent_since=liveness.silent_since,
            participants=tuple(
                ListedParticipant(
                    connection_of(session, one),
                    one.permissions,
                    one.state == "active",
                    liveness.stale_since(one.sid),
                    one.tracks,
                )
                for one in participants
            ),
            uncertain=liveness.uncertain(self._clock.now()),
        )

    async def _list(self, room: str, *, running: bool) -> list[LiveKitParticipant]:
        try:
            async with self._limit:
                participants = await self._livekit.list_participants(room)
        except Unavailable:
            if running:
                raise
            return []  # A LiveKit that has the room's server make the list has nobody to ask.
        return [one for one in participants if one.state != "disconnected"]

    async def _answering(self, room: str, asked: Sequence[LiveKitParticipant]) -> set[str]:
        """The sids of those whom a server has."""

        async def alive(participant: LiveKitParticipant) -> bool:
            async with self._asking:
                return await self._livekit.has_participant(room, participant.identity)

        answers = await asyncio.gather(*(alive(one) for one in asked))
        return {one.sid for one, answer in zip(asked, answers, strict=True) if answer}


def connection_of(session: SessionState, participant: LiveKitParticipant) -> Connection:
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
        issued_at=issued_at(participant.attributes),
        key_id=participant.attributes.get(KEY_ATTRIBUTE),
        is_guest=GUEST_ATTRIBUTE in participant.attributes,
        **vars(JoinTerms.of(participant.attributes)),
    )
