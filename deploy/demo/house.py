"""Everybody in the room: what they receive, and how they all get out of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from statistics import median

from deploy.demo.connection import Connection
from deploy.demo.errors import DemoFailed
from deploy.demo.outcome import Media
from deploy.demo.people import Host, Viewer
from deploy.demo.waiting import eventually, together

MEDIA_SECONDS = 20.0
END_SECONDS = 15.0


class House:
    def __init__(self, host: Host, viewers: Sequence[Viewer]) -> None:
        self.host = host
        self.viewers = viewers

    @property
    def connections(self) -> list[Connection]:
        return self.host.connections + [one for viewer in self.viewers for one in viewer.connections]

    @property
    def receiving(self) -> list[Connection]:
        """The open connections of viewers and monitor; the host's own receives nothing."""
        return [one for one in self.connections if one.is_open and one not in self.host.connections[:1]]

    async def receives(self, connection: Connection) -> None:
        """Wait until a moving picture and the tone arrive. Raises DemoFailed."""

        async def reception() -> bool:
            return connection.reception.complete

        await eventually(
            reception,
            bool,
            within=MEDIA_SECONDS,
            otherwise=lambda _: f"{connection.label} has not received {connection.reception.missing()}",
        )

    def check(self) -> None:
        """Raises where the host's broadcast has ended, or LiveKit dropped somebody."""
        if self.host.broadcast is not None:
            self.host.broadcast.check()
        for connection in self.connections:
            if connection.was_dropped:
                raise DemoFailed(
                    f"{connection.label} was disconnected by LiveKit without having asked for it"
                )

    async def all_gone(self) -> None:
        """Wait until LiveKit has ended every connection. Raises DemoFailed."""
        await together(one.gone(END_SECONDS) for one in self.connections if one.is_open)

    async def clear(self) -> list[BaseException]:
        """Stop and close everything that is still open; what went wrong is returned, not raised."""
        await self.host.go_off_air()
        closing = (connection.close() for connection in self.connections)
        results = await asyncio.gather(*closing, return_exceptions=True)
        return [result for result in results if isinstance(result, BaseException)]

    def media(self, since: float) -> Media:
        """What all viewers received; `since` is when the session went live."""
        receptions = [one.reception for viewer in self.viewers for one in viewer.connections]
        firsts = [one.first_frame_at for one in receptions if one.first_frame_at is not None]
        delays = [one.delay for one in receptions if one.delay is not None]
        return Media(
            frames=sum(one.frames for one in receptions),
            first_frame_seconds=min(firsts) - since,
            delay_milliseconds=round(median(delays)),
        )
