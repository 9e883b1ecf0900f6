"""Controls the participant process: who is connected, and since when."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

POLL = 0.05
# Connecting costs a client most of its work; more at once take longer together than one after the other.
AT_ONCE = 10


class NotThere(Exception):
    """Somebody did not get in, or did not leave, in time."""


@dataclass(frozen=True)
class LastEvent:
    """The last that was heard of somebody; `sid` is LiveKit's id of their connection."""

    event: str
    at: datetime
    sid: str
    error: str


@dataclass
class ParticipantPool:
    process: asyncio.subprocess.Process
    url: str
    last: dict[str, LastEvent] = field(default_factory=dict)

    async def join(self, tokens: dict[str, str], *, within: float = 60.0) -> None:
        """Have all of them (name and join token) connect, a few at a time; raises NotThere."""
        names = list(tokens)
        deadline = time.monotonic() + within
        for first in range(0, len(names), AT_ONCE):
            await self._join({name: tokens[name] for name in names[first : first + AT_ONCE]}, deadline)

    async def _join(self, tokens: dict[str, str], deadline: float) -> None:
        """Again and again."""
        missing = tokens
        while missing:
            for name, token in missing.items():
                self.last.pop(name, None)
                self._order({"do": "join", "name": name, "url": self.url, "token": token})
            await self._until(list(missing), ("connected", "refused"), deadline)
            missing = {name: token for name, token in missing.items() if self.last[name].event == "refused"}

    async def leave(self, names: Sequence[str], *, within: float = 20.0) -> None:
        for name in names:
            self._order({"do": "leave", "name": name})
        await self._until(names, ("disconnected",), time.monotonic() + within)

    def kill(self) -> None:
        """Nobody says goodbye."""
        self.process.send_signal(signal.SIGKILL)

    async def _until(self, names: Sequence[str], events: tuple[str, ...], deadline: float) -> None:
        while missing := [
            name
            for name in names
            if (last_event := self.last.get(name)) is None or last_event.event not in events
        ]:
            if time.monotonic() > deadline or self.process.returncode is not None:
                raise NotThere({name: self.last.get(name) for name in missing})
            await asyncio.sleep(POLL)

    def _order(self, order: dict[str, str]) -> None:
        if self.process.stdin is None:
            raise RuntimeError("the guests were started without a standard input")
        self.process.stdin.write(json.dumps(order).encode() + b"\n")

    async def listen(self) -> None:
        if self.process.stdout is None:
            raise RuntimeError("the guests were started without a standard output")
        while line := await self.process.stdout.readline():
            if line.startswith(b"{"):  # LiveKit's library writes there, too.
                told = json.loads(line)
                at = datetime.fromtimestamp(told["at"], UTC)
                self.last[told["name"]] = LastEvent(
                    told["event"], at, told.get("sid", ""), told.get("error", "")
                )


@asynccontextmanager
async def participant_pool(url: str) -> AsyncIterator[ParticipantPool]:
    """An empty pool for as long as the block runs; `url` is LiveKit's."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos.media.participant_process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    made = ParticipantPool(process, url)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
