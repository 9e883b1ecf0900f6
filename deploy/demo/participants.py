"""The participants: viewers with one or two devices, a host who broadcasts, and a hidden monitor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from deploy.demo.api import HostApi, JoinData, MemberApi
from deploy.demo.comparison import ObservedViewer
from deploy.demo.connection import ClientConnection
from deploy.demo.publisher import MediaPublisher
from deploy.demo.report import MediaStats
from deploy.demo.standstill import why_it_stands_still
from deploy.demo.waiting import DEADLINE_SECONDS, DemoFailed, eventually, together

# After this the reason is said, and waited on.
NOTED_SECONDS = 5.0


@dataclass(frozen=True)
class JoinContext:
    """What a connection needs. `now` gives seconds on a steady clock."""

    session_id: str
    now: Callable[[], float]


class Person:
    """Somebody with connections to the room."""

    def __init__(self) -> None:
        self.connections: list[ClientConnection] = []

    async def connect(self, context: JoinContext, label: str, join: JoinData) -> ClientConnection:
        connection = ClientConnection(label, context.now)
        self.connections.append(connection)
        await connection.open(join.livekit_url, join.livekit_token)
        return connection


class Viewer(Person):
    """One person, who may join several times and with several devices."""

    def __init__(self, name: str, first_device: MemberApi) -> None:
        super().__init__()
        self.name = name
        self.api = first_device
        self.user_id = first_device.signed_in.user.id

    async def join(self, context: JoinContext, device: MemberApi | None = None) -> ClientConnection:
        """Join with the first device, unless another is given."""
        join = await (device or self.api).join(context.session_id)
        label = self.name if device is None else f"{self.name}'s second device"
        return await self.connect(context, label, join)

    async def leave(self, context: JoinContext) -> None:
        """Call the API to leave, which makes LiveKit end the first device's connection."""
        connection = self.connections[0]
        connection.leaving()
        await self.api.leave(context.session_id)
        await connection.gone()

    def observed(self, now: float) -> ObservedViewer:
        times = [one.times for one in self.connections if one.times is not None]
        return ObservedViewer(
            user_id=self.user_id,
            name=self.name,
            surely=[one.surely(now) for one in times],
            possibly=[one.possibly(now) for one in times],
            joins=len(times),
        )


class Host(Person):
    """The person who broadcasts, and also monitors the session."""

    def __init__(self, api: HostApi) -> None:
        super().__init__()
        self.api = api
        self.publisher: MediaPublisher | None = None

    async def go_on_air(self, context: JoinContext, join: JoinData) -> None:
        connection = await self.connect(context, "the host", join)
        self.publisher = MediaPublisher(context.now)
        await self.publisher.start(connection.room)

    async def monitor(self, context: JoinContext) -> ClientConnection:
        """Watch hidden."""
        return await self.connect(context, "the monitor", await self.api.monitor(context.session_id))


class Participants:
    """Everybody in the room. `note` is told why somebody waits."""

    def __init__(self, host: Host, viewers: Sequence[Viewer], note: Callable[[str], None]) -> None:
        self.host = host
        self.viewers = viewers
        self._note = note

    @property
    def connections(self) -> list[ClientConnection]:
        return self.host.connections + [one for viewer in self.viewers for one in viewer.connections]

    @property
    def receiving(self) -> list[ClientConnection]:
        """The open connections of viewers and monitor; the host's own receives nothing."""
        return [one for one in self.connections if one.is_open and one not in self.host.connections[:1]]

    async def receives(self, connection: ClientConnection) -> None:
        """Wait until a moving picture and the tone arrive. Raises DemoFailed."""
        await self._arrives(
            connection,
            lambda: connection.reception.complete,
            lambda: f"{connection.label} has not received {connection.reception.missing()}",
        )

    async def moves(self, connection: ClientConnection, before: int) -> None:
        """Wait until more pictures have arrived than the `before` of an earlier moment. Raises DemoFailed."""
        await self._arrives(
            connection,
            lambda: connection.reception.moves > before,
            lambda: f"{connection.label} receives a picture that stands still",
        )

    async def _arrives(
        self, connection: ClientConnection, arrived: Callable[[], bool], problem: Callable[[], str]
    ) -> None:
        """What takes longer than usual is noted with the reason, and still waited for."""

        async def has_arrived() -> bool:
            return arrived()

        async def within(seconds: float, why: str = "") -> None:
            await eventually(has_arrived, bool, within=seconds, otherwise=lambda _: problem() + why)

        try:
            await within(NOTED_SECONDS)
        except DemoFailed:
            missing = problem()
            publisher = self.host.publisher
            sent = None if publisher is None else publisher.picture
            why = f": {await why_it_stands_still(sent, connection.picture)}"
            self._note(missing + why)
            await within(DEADLINE_SECONDS, why)

    def check(self) -> None:
        """Raises if the host's media has ended, or LiveKit dropped somebody."""
        if self.host.publisher is not None:
            self.host.publisher.check()
        for connection in self.connections:
            if connection.was_dropped:
                raise DemoFailed(
                    f"{connection.label} was disconnected by LiveKit without having asked for it"
                )

    async def all_gone(self) -> None:
        """Wait until LiveKit has ended every connection. Raises DemoFailed."""
        await together(one.gone() for one in self.connections if one.is_open)

    async def clear(self) -> list[BaseException]:
        """Stop and close everything that is still open; errors are returned, not raised."""
        if self.host.publisher is not None:
            await self.host.publisher.stop()
        closing = (connection.close() for connection in self.connections)
        results = await asyncio.gather(*closing, return_exceptions=True)
        return [result for result in results if isinstance(result, BaseException)]

    def media(self, since: float) -> MediaStats:
        """What all viewers received; `since` is when the session went live."""
        receptions = [one.reception for viewer in self.viewers for one in viewer.connections]
        firsts = [one.first_frame_at for one in receptions if one.first_frame_at is not None]
        delays = [one.delay for one in receptions if one.delay is not None]
        return MediaStats(
            frames=sum(one.frames for one in receptions),
            first_frame_seconds=min(firsts) - since,
            delay_milliseconds=round(median(delays)),
        )
