"""Simulated hosts and viewers: each repeats its actions and records what was acknowledged."""

import asyncio
import random
from dataclasses import dataclass, field

from shared.ids import new_id
from tests.chaos.caller import Answer, Caller, Outcome
from tests.chaos.ledger import Ledger, RequestedChange, RoomEntry, SessionEntry, ViewerEntry
from tests.chaos.webhook_sender import WebhookSender


@dataclass
class LoadContext:
    """What everybody shares. `pace` stretches every pause; `open_sessions` are those viewers may join."""

    caller: Caller
    webhooks: WebhookSender
    ledger: Ledger
    stopping: asyncio.Event
    pace: float = 1.0
    open_sessions: list[SessionEntry] = field(default_factory=list)

    async def pause(self, seconds: float) -> None:
        """Wait a while, less when the end has come."""
        try:
            async with asyncio.timeout(seconds * self.pace):
                await self.stopping.wait()
        except TimeoutError:
            return


class Host:
    """Opens rooms, goes live in them, edits, ends and deletes; sometimes two sessions contend for a room."""

    def __init__(self, context: LoadContext, token: str, user_id: str, preset_id: str, rng: random.Random):
        self._context, self._rng = context, rng
        self._token, self._user_id, self._preset_id = token, user_id, preset_id

    async def run(self) -> None:
        while not self._context.stopping.is_set():
            room = await self._room()
            if room.id is None:
                continue
            sessions = [await self._session(room) for _ in range(2 if self._rng.random() < 0.3 else 1)]
            known = [session for session in sessions if session.id is not None]
            await asyncio.gather(*(self._start(session) for session in known))
            await self._edit(room)
            await asyncio.gather(*(self._host(session) for session in known))
            await self._edit(room)

    async def _room(self) -> RoomEntry:
        label = f"Room {new_id()}"
        answer = await self._post("create room", "/rooms", {"title": label}, keyed=True)
        room = RoomEntry(label, RequestedChange.of(answer), answer.data["room"]["id"] if answer.ok else None)
        self._context.ledger.rooms.append(room)
        return room

    async def _session(self, room: RoomEntry) -> SessionEntry:
        label = f"Session {new_id()}"
        body = {"title": label, "preset_id": self._preset_id}
        answer = await self._post("create session", f"/rooms/{room.id}/sessions", body, keyed=True)
        id_ = answer.data["session"]["id"] if answer.ok else None
        session = SessionEntry(label, RequestedChange.of(answer), id_)
        room.sessions.append(session)
        return session

    async def _start(self, session: SessionEntry) -> None:
        session.start = RequestedChange.of(
            await self._post("start", f"/sessions/{session.id}/start", keyed=True)
        )

    async def _host(self, session: SessionEntry) -> None:
        """What a host does with a session that is live, or that could not go live."""
        if session.start and session.start.done and session.id:
            session.connections.append(
                await self._context.webhooks.joined(session.id, self._user_id, host=True)
            )
            self._context.open_sessions.append(session)
            for _ in range(self._rng.randint(2, 4)):
                await self._context.pause(self._rng.uniform(0.6, 1.6))
                await self._limit(session)
            if self._rng.random() < 0.9:
                self._context.open_sessions.remove(session)
                await self._end(session)
        if not (session.start and session.start.outcome is Outcome.UNKNOWN) and self._rng.random() < 0.25:
            await self._delete(session)

    async def _limit(self, session: SessionEntry) -> None:
        edits = session.limit
        edits.last += 1
        body = {"max_join_limit": edits.last}
        edits.note(await self._patch("edit session", f"/sessions/{session.id}/settings", body))

    async def _edit(self, room: RoomEntry) -> None:
        edits = room.description
        edits.last += 1
        edits.note(await self._patch("edit room", f"/rooms/{room.id}", {"description": str(edits.last)}))

    async def _end(self, session: SessionEntry) -> None:
        """Sometimes twice at once, as two hosts may."""
        path, times = f"/sessions/{session.id}/end", 2 if self._rng.random() < 0.2 else 1
        answers = await asyncio.gather(*(self._post("end", path) for _ in range(times)))
        session.end = RequestedChange.of(min(answers, key=lambda answer: list(Outcome).index(answer.outcome)))

    async def _delete(self, session: SessionEntry) -> None:
        path = f"/sessions/{session.id}"
        answer = await self._context.caller.surely("delete", "DELETE", path, token=self._token)
        session.delete = RequestedChange.of(answer)
        if answer.call.status == 404 and answer.doubtful:
            session.delete = RequestedChange(Outcome.ACKNOWLEDGED, doubtful=True)

    async def _post(self, kind: str, path: str, body: object = None, *, keyed: bool = False) -> Answer:
        """With patience, as a careful client; one in ten is left not knowing."""
        patience = 40.0 if self._rng.random() < 0.9 else 0.0
        headers = {"Idempotency-Key": new_id()} if keyed else {}
        return await self._context.caller.surely(
            kind, "POST", path, token=self._token, body=body, headers=headers, patience=patience
        )

    async def _patch(self, kind: str, path: str, body: object) -> Answer:
        return await self._context.caller.once(kind, "PATCH", path, token=self._token, body=body)


class Viewer:
    """Registers, joins and leaves live sessions, and after a few starts as a new person."""

    def __init__(self, context: LoadContext, rng: random.Random):
        self._context, self._rng = context, rng

    async def run(self) -> None:
        while not self._context.stopping.is_set():
            label = f"Viewer {new_id()}"[:50]
            answer = await self._context.caller.surely(
                "register",
                "POST",
                "/auth/viewer/register",
                body={"display_name": label},
                headers={"Idempotency-Key": new_id()},
            )
            user_id = answer.data["user"]["id"] if answer.ok else None
            self._context.ledger.viewers.append(ViewerEntry(label, RequestedChange.of(answer), user_id))
            for _ in range(3 if user_id else 0):
                await self._watch(user_id or "", answer.data["access_token"])

    async def _watch(self, user_id: str, token: str) -> None:
        if self._context.stopping.is_set():
            return
        if not self._context.open_sessions:
            await self._context.pause(0.3)
            return
        session = self._rng.choice(self._context.open_sessions)
        path = f"/sessions/{session.id}/join"
        answer = await self._context.caller.once("join", "POST", path, token=token)
        if not answer.ok:
            await self._context.pause(0.3)
            return
        session.joins_acknowledged += 1
        for _ in range(self._rng.choice((1, 1, 2))):
            await self._stay(session, user_id)

    async def _stay(self, session: SessionEntry, user_id: str) -> None:
        """Be there for some seconds; longer than LiveKit's whole seconds can be wrong."""
        connection = await self._context.webhooks.joined(session.id or "", user_id)
        session.connections.append(connection)
        await asyncio.sleep(2.2)
        await self._context.pause(self._rng.uniform(0, 2.5))
        await self._context.webhooks.left(session.id or "", connection)


class Reader:
    """Looks at what anybody may see."""

    def __init__(self, context: LoadContext, rng: random.Random):
        self._context, self._rng = context, rng

    async def run(self) -> None:
        while not self._context.stopping.is_set():
            live = self._context.open_sessions
            paths = ["/sessions/live", "/rooms", *(f"/sessions/{session.id}" for session in live[-3:])]
            await self._context.caller.once("read", "GET", self._rng.choice(paths))
            await self._context.pause(0.1)
