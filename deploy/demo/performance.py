"""The live part of the demo, from going live to the end."""

from __future__ import annotations

from deploy.demo.api import Api
from deploy.demo.connection import Connection
from deploy.demo.counting import Counting
from deploy.demo.errors import CallFailed, DemoFailed
from deploy.demo.house import House
from deploy.demo.people import Venue
from deploy.demo.recording import OnAir
from deploy.demo.report import Span
from deploy.demo.show import Show
from deploy.demo.stream import Played, Player
from deploy.demo.waiting import together

# Shares of the watching time: all together, one away, all together again.
TOGETHER, AWAY, AGAIN = 0.3, 0.4, 0.3


class Performance:
    """The first viewer comes with two devices, the last one leaves and comes back."""

    def __init__(self, api: Api, show: Show, venue: Venue, house: House) -> None:
        self.counting = Counting(house.host.api, venue.session_id, show)
        self._api = api
        self._show = show
        self._venue = venue
        self._house = house
        self._traveller, self._twofold = house.viewers[-1], house.viewers[0]
        self._player = Player(house.host.api, venue.session_id, venue.now)
        self.played: Played | None = None
        self._live_from: tuple[float, float] | None = None
        self._on_air_from = 0.0
        self._live_to: tuple[float, float] | None = None
        self._gone_at = 0.0

    async def play(self, seconds: float) -> None:
        """All acts. Raises DemoFailed."""
        await self._go_live()
        await self._viewers_come()
        await self._stream_plays()
        await self._second_device_and_monitor()
        await self._watch("Everybody watches", seconds * TOGETHER)
        await self._one_leaves_and_one_device_closes()
        await self._watch(f"The others watch, {self._traveller.name} is away", seconds * AWAY)
        await self._one_comes_back()
        await self._watch("Everybody watches again", seconds * AGAIN)
        await self._stream_has_played()
        await self._end()

    @property
    def live_since(self) -> float:
        """When the call to go live was sent."""
        return self._live_from[0] if self._live_from else self._venue.now()

    @property
    def live(self) -> Span:
        """How long the session was live: at least between the calls, at most with them."""
        if self._live_from is None or self._live_to is None:
            return Span(0, 0)
        return Span(self._live_to[0] - self._live_from[1], self._live_to[1] - self._live_from[0])

    @property
    def on_air(self) -> OnAir:
        return OnAir(self._on_air_from, self._live_to[0] if self._live_to else 0.0, self._gone_at)

    async def tidy(self) -> None:
        """Whatever happened: end the session, and leave nobody connected."""
        if self._live_from is not None and self._live_to is None:
            with self._show.step("Ending the session") as step:
                try:
                    await self._house.host.api.end(self._venue.session_id)
                except CallFailed as error:
                    step.detail(str(error))
        for failure in await self._house.clear():
            with self._show.step("A connection could not be closed") as step:
                step.detail(repr(failure))

    async def _go_live(self) -> None:
        with self._show.step("The host goes live, with picture and tone", total=2) as step:
            asked_at = self._venue.now()
            started = await self._house.host.api.go_live(self._venue.session_id)
            self._live_from = asked_at, self._venue.now()
            step.advance()
            await self._house.host.go_on_air(self._venue, started.livekit_token)
            self._on_air_from = self._venue.now()
            step.detail(f"answered after {self._live_from[1] - asked_at:.2f} s")

    async def _viewers_come(self) -> None:
        viewers = self._house.viewers
        with self._show.step("Viewers join and receive picture and tone", total=len(viewers)) as step:

            async def come(at: int) -> None:
                await self._house.receives(await viewers[at].join(self._venue))
                step.advance()

            await together(come(at) for at in range(len(viewers)))
            step.detail(
                f"first frame {self._house.media(self.live_since).first_frame_seconds:.2f} s after going live"
            )
            await self._counted()

    async def _stream_plays(self) -> None:
        with self._show.step("The stream can be played by HLS", total=2) as step:
            seconds = await self._player.find(self.live_since)
            step.advance()
            await self._player.look()
            step.detail(f"{seconds:.1f} s after going live")

    async def _stream_has_played(self) -> None:
        with self._show.step("The stream still shows the host, in real time", total=2) as step:
            look = await self._player.look()
            step.advance()
            self.played = await self._player.played()
            step.detail(f"{look.latency:.1f} s from drawn to a segment that can be fetched")

    async def _second_device_and_monitor(self) -> None:
        with self._show.step(
            f"{self._twofold.name} opens a second device, a monitor joins hidden", total=2
        ) as step:
            device = await self._twofold.second_device(self._api)
            await self._house.receives(await self._twofold.join(self._venue, device))
            step.advance()
            monitor = await self._house.host.monitor(self._venue)
            await self._house.receives(monitor)
            self._check_hidden(monitor)
            await self._counted()
            step.detail("still counted as the same people")

    def _check_hidden(self, monitor: Connection) -> None:
        for connection in self._house.receiving:
            if connection.sees(monitor):
                raise DemoFailed(f"{connection.label} can see the monitor")

    async def _one_leaves_and_one_device_closes(self) -> None:
        title = f"{self._traveller.name} leaves, {self._twofold.name}'s first device is closed"
        with self._show.step(title, total=2) as step:
            await self._traveller.leave(self._venue)
            step.advance()
            await self._twofold.connections[0].close()
            await self._counted(without=self._traveller.user_id)
            step.detail(f"{self._twofold.name} counts on, {self._traveller.name} does not")

    async def _one_comes_back(self) -> None:
        with self._show.step(f"{self._traveller.name} comes back") as step:
            await self._house.receives(await self._traveller.join(self._venue))
            await self._counted()
            step.detail("picture and tone again")

    async def _watch(self, title: str, seconds: float) -> None:
        with self._show.step(title, total=seconds) as step:
            before = {id(one): one.reception.moves for one in self._house.receiving}
            await self.counting.watch(seconds, step, self._house.check)
            for connection in self._house.receiving:
                if connection.reception.moves <= before[id(connection)]:
                    raise DemoFailed(f"{connection.label} receives a picture that stands still")
            step.detail(f"{len(before)} connections receive a moving picture")

    async def _end(self) -> None:
        with self._show.step("The host ends the session, LiveKit disconnects everybody") as step:
            for connection in self._house.connections:
                connection.leaving()
            asked_at = self._venue.now()
            await self._house.host.api.end(self._venue.session_id)
            self._live_to = asked_at, self._venue.now()
            await self._house.all_gone()
            self._gone_at = self._venue.now()
            step.detail(f"after {self._gone_at - asked_at:.2f} s")

    async def _counted(self, *, without: str = "") -> None:
        people = {viewer.user_id for viewer in self._house.viewers} - {without}
        await self.counting.until(people)
