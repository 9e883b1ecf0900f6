"""Live sessions with a host and viewers, made through the API; their people connect by tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.ids import new_id
from tests.chaos.caller import Caller
from tests.chaos.load import Account


class WhoReturns(StrEnum):
    """What becomes of a session's people when LiveKit dies."""

    GONE = "all gone"
    HOST_BACK = "the host back"
    ALL_BACK = "all back"


@dataclass(frozen=True)
class Person:
    """`name` is unique, and the username; `token` lets them join the room."""

    name: str
    user_id: str
    token: str


@dataclass(frozen=True)
class LiveSession:
    """A live session. `access` is its host's token for the API; `streamed` ones are recorded, too."""

    session_id: str
    who_returns: WhoReturns
    streamed: bool
    access: str
    host: Person
    viewers: tuple[Person, ...]

    @property
    def people(self) -> tuple[Person, ...]:
        return (self.host, *self.viewers)

    @property
    def returning(self) -> tuple[Person, ...]:
        """Those who come back when LiveKit does."""
        back = {WhoReturns.GONE: (), WhoReturns.HOST_BACK: (self.host,), WhoReturns.ALL_BACK: self.people}
        return back[self.who_returns]


class SessionStarter:
    """Calls of the API that must succeed; raises RuntimeError where one does not."""

    def __init__(self, caller: Caller, account: Account):
        self._caller = caller
        self._account = account

    async def open(self, who_returns: WhoReturns, viewers: int, *, streamed: bool = False) -> LiveSession:
        """Start a session in a room of its own, with a stream and a recording if it is `streamed`."""
        room = (await self._must("/rooms", {"title": "A room"}))["room"]["id"]
        preset = await self._recorded() if streamed else self._account.preset_id
        body = {"title": f"Afterwards {who_returns}", "preset_id": preset}
        session = (await self._must(f"/rooms/{room}/sessions", body))["session"]["id"]
        started = await self._must(f"/sessions/{session}/{'go_live' if streamed else 'start'}", {})
        host = Person(f"Host {new_id()}", self._account.user_id, started["livekit_token"])
        guests = [await self.viewer(session) for _ in range(viewers)]
        return LiveSession(session, who_returns, streamed, self._account.token, host, tuple(guests))

    async def _recorded(self) -> str:
        body = {"name": "Recorded", "type": "whip", "primary_color": "#112233", "recording_enabled": True}
        return str((await self._must("/presets", body))["id"])

    async def viewer(self, session_id: str) -> Person:
        """Somebody new with a token for the session."""
        name = f"Viewer {new_id()}"[:50]
        signed_in = await self._must("/auth/viewer/register", {"display_name": name}, "")
        joined = await self._must(f"/sessions/{session_id}/join", {}, signed_in["access_token"])
        return Person(name, signed_in["user"]["id"], joined["livekit_token"])

    async def end(self, live_sessions: Sequence[LiveSession]) -> None:
        """End those that are still live."""
        for live in live_sessions:
            await self._caller.surely("end", "POST", f"/sessions/{live.session_id}/end", token=live.access)

    async def _must(self, path: str, body: object, token: str | None = None) -> Any:
        """The answer's data, called by the host where no `token` is given."""
        access = self._account.token if token is None else token
        answer = await self._caller.surely("prepare", "POST", path, body=body, token=access)
        if not answer.ok:
            raise RuntimeError(f"POST {path} was answered {answer.call.status} {answer.call.code}")
        return answer.data
