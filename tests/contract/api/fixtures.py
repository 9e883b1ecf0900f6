"""What the cases run on: two organizations with their people and libraries, and methods that create more."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.contract.api.accounts import Administrator, Organization, Person, register
from tests.contract.api.client import Answer, Client
from tests.contract.api.contract import operations
from tests.contract.api.sample_bodies import sample


@dataclass(frozen=True)
class Fixtures:
    """`host` owns what is made; `colleague` is of the same organization, `outsider` of another."""

    client: Client
    admin: Administrator
    organization: Organization
    host: Person
    colleague: Person
    outsider: Person
    viewer: Person
    second_library: str
    unlisted_library: str
    foreign_library: str
    completed: list[str] = field(default_factory=list)

    @property
    def library(self) -> str:
        return self.organization.default_library_id

    async def viewer_of_its_own(self) -> Person:
        return await register(self.client)

    async def room(self, library: str | None = None, by: Person | None = None, **fields: Any) -> str:
        """The id of a new room."""
        body = {"title": "A room", **fields}
        return str((await self._post("/rooms", body, library, by)).data["room"]["id"])

    async def preset(self, library: str | None = None, by: Person | None = None, **fields: Any) -> str:
        """The id of a new preset: every field of the contract filled, of type whip."""
        body = sample(operations()["POST /presets"], is_default=False, **fields)
        return str((await self._post("/presets", body, library, by)).data["id"])

    async def session(
        self,
        library: str | None = None,
        by: Person | None = None,
        *,
        room: str | None = None,
        preset: str | None = None,
        **fields: Any,
    ) -> str:
        """The id of a new scheduled session, in a room and with a preset of its own where none is given."""
        room = room or await self.room(library, by)
        preset = preset or await self.preset(library, by)
        body = {"title": "A session", "preset_id": preset, **fields}
        return str((await self._post(f"/rooms/{room}/sessions", body, library, by)).data["session"]["id"])

    async def live_session(self, library: str | None = None, **fields: Any) -> str:
        session = await self.session(library, **fields)
        await self.do("start", session)
        return session

    async def ended_session(self, library: str | None = None, **fields: Any) -> str:
        session = await self.live_session(library, **fields)
        await self.do("end", session)
        return session

    async def poll(self, session: str, **fields: Any) -> str:
        """The id of a new poll with two options in this live session."""
        body = {"question": "Which day?", "options": ["Monday", "Friday"], **fields}
        return str((await self._post(f"/sessions/{session}/polls", body, None, None)).data["id"])

    async def recorded_session(self, library: str | None = None) -> str:
        """A live session that is being recorded."""
        session = await self.live_session(library)
        await self.do("recordings/start", session)
        return session

    async def recording(self) -> str:
        """The id of a recording that has failed: it is stopped before there is anything to record.

        On a busy machine something may be recorded before that, and another one is made.
        """
        while True:
            session = await self.recorded_session()
            recording = str((await self.do("recordings/stop", session)).data["id"])
            path = f"/recordings/{recording}"
            over = await self.eventually(
                path, lambda found: found["status"] != "recording", within=60, by=self.host
            )
            await self.do("end", session)
            if over["status"] == "failed":
                return recording

    async def completed_recording(self) -> str:
        """The id of a recording that has a file, of an empty stage; one for all who ask."""
        if self.completed:
            return self.completed[0]
        session = await self.recorded_session()
        await self.do("go_live", session)
        await self.eventually(f"/sessions/{session}", lambda found: found["hls_url"] is not None, within=60)
        recording = str((await self.do("recordings/stop", session)).data["id"])
        path = f"/recordings/{recording}"
        over = await self.eventually(
            path, lambda found: found["status"] != "recording", within=60, by=self.host
        )
        assert over["status"] == "completed", over
        self.completed.append(recording)
        return recording

    async def appointed(self, what: str, session: str, by: Person | None = None) -> str:
        """The id of a new viewer for whom POST /sessions/{id}/<what> was done: a role given, or a ban."""
        user = (await self.viewer_of_its_own()).id
        await self._post(f"/sessions/{session}/{what}", {"user_id": user}, None, by)
        return user

    async def do(self, what: str, session: str, by: Person | None = None) -> Answer:
        """POST /sessions/{id}/<what> by its host; must succeed."""
        return await self._post(f"/sessions/{session}/{what}", None, None, by)

    async def get(self, path: str, by: Person | None = None) -> Any:
        """The data at `path` as `by` (or nobody) sees it."""
        return (await self.client.call("GET", path, by.access_token if by else None)).data

    async def eventually(
        self, path: str, wanted: Callable[[Any], bool], within: float = 30, by: Person | None = None
    ) -> Any:
        """The data at `path`, as `by` (or nobody) sees it, once it is as wanted; raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                data = await self.get(path, by)
                if wanted(data):
                    return data
                await asyncio.sleep(0.05)

    async def _post(self, path: str, body: Any, library: str | None, by: Person | None) -> Answer:
        prefix = f"/libraries/{library}" if library else ""
        token = (by or self.host).access_token
        answer = await self.client.call("POST", prefix + path, token, body)
        assert answer.status in {200, 201}, answer
        return answer


async def make_fixtures(client: Client, admin: Administrator) -> Fixtures:
    ours, theirs = await admin.organization(), await admin.organization()
    return Fixtures(
        client=client,
        admin=admin,
        organization=ours,
        host=await admin.host(ours),
        colleague=await admin.host(ours, "Carl"),
        outsider=await admin.host(theirs, "Olga"),
        viewer=await register(client),
        second_library=await admin.library(ours),
        unlisted_library=await admin.library(ours, "unlisted"),
        foreign_library=theirs.default_library_id,
    )
