"""The live part of the demo, from going live to the end."""

from __future__ import annotations

from deploy.api_client import CallFailed
from deploy.demo.api import Api
from deploy.demo.comparison import DurationRange
from deploy.demo.connection import ClientConnection
from deploy.demo.hls import HlsPlayer, HlsResult
from deploy.demo.participants import JoinContext, Participants
from deploy.demo.progress import ProgressDisplay
from deploy.demo.recording import OnAirTimes
from deploy.demo.viewer_counts import ViewerCounts
from deploy.demo.waiting import DemoFailed, together

# Shares of the watching time: everybody, while one is away, everybody again.
TOGETHER, AWAY, AGAIN = 0.3, 0.4, 0.3


class LivePart:
    """The first viewer uses two devices, the last one leaves and comes back."""

    def __init__(
        self, api: Api, display: ProgressDisplay, context: JoinContext, participants: Participants
    ) -> None:
        host = participants.host.api
        self.viewer_counts = ViewerCounts(host, context.session_id, display)
        self.hls: HlsResult | None = None
        self._api = api
        self._display = display
        self._context = context
        self._participants = participants
        self._leaver, self._two_devices = participants.viewers[-1], participants.viewers[0]
        self._player = HlsPlayer(host, context.session_id, context.now)
        # When each call was sent and answered; seconds of the context's clock.
        self._go_live_call: tuple[float, float] | None = None
        self._end_call: tuple[float, float] | None = None
        self._on_air_from = 0.0
        self._gone_at = 0.0

    async def play(self, seconds: float) -> None:
        """All steps. Raises DemoFailed or CallFailed."""
        await self._go_live()
        await self._viewers_join()
        await self._stream_plays()
        await self._second_device_and_monitor()
        await self._watch("Everybody watches", seconds * TOGETHER)
        await self._one_leaves_and_one_device_closes()
        await self._watch(f"The others watch, {self._leaver.name} is away", seconds * AWAY)
        await self._one_comes_back()
        await self._watch("Everybody watches again", seconds * AGAIN)
        await self._stream_has_played()
        await self._end()

    @property
    def live_since(self) -> float:
        """When the call to go live was sent."""
        return self._go_live_call[0] if self._go_live_call else self._context.now()

    @property
    def live(self) -> DurationRange:
        """How long the session was live: at least between the calls, at most including them."""
        if self._go_live_call is None or self._end_call is None:
            return DurationRange(0, 0)
        return DurationRange(
            self._end_call[0] - self._go_live_call[1], self._end_call[1] - self._go_live_call[0]
        )

    @property
    def on_air(self) -> OnAirTimes:
        """Once the session has been played to its end."""
        if self.hls is None or self._end_call is None:
            raise DemoFailed("the session was not played to its end")
        playable_at = self.live_since + self.hls.playable_after
        return OnAirTimes(self._on_air_from, playable_at, self._end_call[0], self._gone_at, self.hls.lag)

    async def clean_up(self) -> None:
        """Whatever happened: end the session, and close all connections."""
        if self._go_live_call is not None and self._end_call is None:
            with self._display.step("Ending the session") as step:
                try:
                    await self._participants.host.api.end(self._context.session_id)
                except CallFailed as error:
                    step.detail(str(error))
        for failure in await self._participants.clear():
            with self._display.step("A connection could not be closed") as step:
                step.detail(repr(failure))

    async def _go_live(self) -> None:
        host = self._participants.host
        with self._display.step("The host goes live, with picture and tone", total=2) as step:
            asked_at = self._context.now()
            join = await host.api.go_live(self._context.session_id)
            self._go_live_call = asked_at, self._context.now()
            step.advance()
            await host.go_on_air(self._context, join)
            self._on_air_from = self._context.now()
            step.detail(f"answered after {self._go_live_call[1] - asked_at:.2f} s")

    async def _viewers_join(self) -> None:
        viewers = self._participants.viewers
        with self._display.step("Viewers join and receive picture and tone", total=len(viewers)) as step:

            async def join(at: int) -> None:
                await self._participants.receives(await viewers[at].join(self._context))
                step.advance()

            await together(join(at) for at in range(len(viewers)))
            first = self._participants.media(self.live_since).first_frame_seconds
            step.detail(f"first frame {first:.2f} s after going live")
            await self._counted()

    async def _stream_plays(self) -> None:
        with self._display.step("The stream can be played by HLS", total=2) as step:
            seconds = await self._player.find(self.live_since)
            step.advance()
            await self._player.sample()
            step.detail(f"{seconds:.1f} s after going live")

    async def _stream_has_played(self) -> None:
        with self._display.step("The stream still shows the host, in real time", total=2) as step:
            sample = await self._player.sample()
            step.advance()
            self.hls = await self._player.result()
            step.detail(f"{sample.latency:.1f} s from drawn to a segment that can be fetched")

    async def _second_device_and_monitor(self) -> None:
        viewer, people = self._two_devices, self._participants
        with self._display.step(
            f"{viewer.name} opens a second device, a monitor joins hidden", total=2
        ) as step:
            device = await self._api.device_login(viewer.api.signed_in.device_token)
            await people.receives(await viewer.join(self._context, device))
            step.advance()
            monitor = await people.host.monitor(self._context)
            await people.receives(monitor)
            self._check_hidden(monitor)
            await self._counted()
            step.detail("still counted as the same people")

    def _check_hidden(self, monitor: ClientConnection) -> None:
        for connection in self._participants.receiving:
            if connection.sees(monitor):
                raise DemoFailed(f"{connection.label} can see the monitor")

    async def _one_leaves_and_one_device_closes(self) -> None:
        leaver, viewer = self._leaver, self._two_devices
        title = f"{leaver.name} leaves, {viewer.name}'s first device is closed"
        with self._display.step(title, total=2) as step:
            await leaver.leave(self._context)
            step.advance()
            await viewer.connections[0].close()
            await self._counted(without=leaver.user_id)
            step.detail(f"{viewer.name} counts on, {leaver.name} does not")

    async def _one_comes_back(self) -> None:
        with self._display.step(f"{self._leaver.name} comes back") as step:
            await self._participants.receives(await self._leaver.join(self._context))
            await self._counted()
            step.detail("picture and tone again")

    async def _watch(self, title: str, seconds: float) -> None:
        with self._display.step(title, total=seconds) as step:
            before = [(one, one.reception.moves) for one in self._participants.receiving]
            await self.viewer_counts.watch(seconds, step, self._participants.check)
            # A busy machine may take longer than the step for the next picture.
            await together(self._participants.moves(one, moves) for one, moves in before)
            await self._player.sample()
            step.detail(f"{len(before)} connections receive a moving picture")

    async def _end(self) -> None:
        with self._display.step("The host ends the session, LiveKit disconnects everybody") as step:
            for connection in self._participants.connections:
                connection.leaving()
            asked_at = self._context.now()
            await self._participants.host.api.end(self._context.session_id)
            self._end_call = asked_at, self._context.now()
            await self._participants.all_gone()
            self._gone_at = self._context.now()
            step.detail(f"after {self._gone_at - asked_at:.2f} s")

    async def _counted(self, *, without: str = "") -> None:
        people = {viewer.user_id for viewer in self._participants.viewers} - {without}
        await self.viewer_counts.until(people)
