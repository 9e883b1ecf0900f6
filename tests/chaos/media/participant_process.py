"""People in LiveKit rooms, as a process of their own that can be killed: JSON lines in and out.

In: `{"do": "join", "name", "url", "token"}` and `{"do": "leave", "name"}`. Out: `{"name", "event", "at", …}`
with the events connected (and `sid`), refused (and `error`), disconnected; `at` is Unix time.
"""

import asyncio
import json
import sys
import time
from typing import Any

from livekit import rtc

CONNECT_SECONDS = 20.0
LEAVE_SECONDS = 10.0


class Participants:
    def __init__(self) -> None:
        self._rooms: dict[str, rtc.Room] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def obey(self) -> None:
        """Do what comes in, until there is no more."""
        reader, loop = asyncio.StreamReader(), asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            order = json.loads(line)
            doing = self._join(order) if order["do"] == "join" else self._leave(order["name"])
            task = asyncio.create_task(doing)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _join(self, order: dict[str, str]) -> None:
        name, room = order["name"], rtc.Room()
        room.on("disconnected", lambda _reason: _tell(name, "disconnected"))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await room.connect(order["url"], order["token"])
        except (rtc.ConnectError, TimeoutError) as error:
            _tell(name, "refused", error=str(error))
            return
        self._rooms[name] = room
        _tell(name, "connected", sid=room.local_participant.sid)

    async def _leave(self, name: str) -> None:
        """LiveKit's library does not always tell of a goodbye that was our own."""
        async with asyncio.timeout(LEAVE_SECONDS):
            await self._rooms.pop(name).disconnect()
        _tell(name, "disconnected")


def _tell(name: str, event: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"name": name, "event": event, "at": time.time(), **more}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(Participants().obey())
