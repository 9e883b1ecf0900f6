"""The whole demo: a live session from the sign-in to the comparison with what the API reports."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp
from rich.console import Console

from deploy.api_client import ApiClient
from deploy.demo.api import Api, HostApi
from deploy.demo.comparison import ObservedViewer, ReportedFigures, Row, agree, compare
from deploy.demo.live_part import LivePart
from deploy.demo.participants import Host, JoinContext, Participants, Viewer
from deploy.demo.progress import ProgressDisplay, display_on
from deploy.demo.recording import RecordingCheck, check_recording
from deploy.demo.report import CreatedIds, DemoResult
from deploy.demo.waiting import DEADLINE_SECONDS, POLL_SECONDS
from deploy.local.stopping import stop_requested, unless_stopped

NAMES = ("Ada", "Ben", "Cleo", "Dana", "Emil")


@dataclass(frozen=True)
class DemoOptions:
    """`viewers` is two or more; `seconds` is the watching time, 10 or more."""

    email: str
    password: str
    viewers: int
    seconds: float


async def run_demo(base_url: str, options: DemoOptions, console: Console) -> DemoResult:
    """Play the demo on the gateway at `base_url`. Raises DemoFailed, CallFailed and Stopped.

    Even then the session is over and everybody disconnected.
    """
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its errors are raised, too
    async with aiohttp.ClientSession() as http:
        with display_on(console, time.monotonic) as display, stop_requested() as stop:
            scenario = DemoScenario(Api(ApiClient(base_url, http)), options, display, time.monotonic)
            return await unless_stopped(stop, scenario.run())


class DemoScenario:
    """`now` gives seconds on a steady clock."""

    def __init__(
        self, api: Api, options: DemoOptions, display: ProgressDisplay, now: Callable[[], float]
    ) -> None:
        self._api = api
        self._options = options
        self._display = display
        self._now = now

    async def run(self) -> DemoResult:
        """Play the whole session. Raises DemoFailed or CallFailed; the session is over then, too."""
        with self._display.step("The host signs in") as step:
            api = await self._api.login(self._options.email, self._options.password)
            step.detail(api.signed_in.user.username)
        created = await self._create(api)
        context = JoinContext(created.session_id, self._now)
        participants = Participants(Host(api), await self._register_viewers(), self._display.note)
        live_part = LivePart(self._api, self._display, context, participants)
        try:
            await live_part.play(self._options.seconds)
        finally:
            await live_part.clean_up()
        return await self._compare(created, participants, live_part)

    async def _create(self, api: HostApi) -> CreatedIds:
        with self._display.step("The host makes a room, a preset and a session", total=3) as step:
            room_id = await api.create_room("Greenroom demo")
            step.advance()
            preset_id = await api.create_preset("Greenroom demo")
            step.advance()
            session_id = await api.create_session(room_id, preset_id, "A live session")
            step.detail(f"session {session_id}")
        return CreatedIds(room_id, preset_id, session_id)

    async def _register_viewers(self) -> list[Viewer]:
        count = self._options.viewers
        names = [NAMES[at] if at < len(NAMES) else f"Viewer {at + 1}" for at in range(count)]
        viewers = []
        with self._display.step("Viewers register", total=count) as step:
            for name in names:
                viewers.append(Viewer(name, await self._api.register_viewer(name)))
                step.advance()
            step.detail(", ".join(names))
        return viewers

    async def _compare(
        self, created: CreatedIds, participants: Participants, live_part: LivePart
    ) -> DemoResult:
        api = participants.host.api
        viewers = [viewer.observed(self._now()) for viewer in participants.viewers]
        with self._display.step("The API's attendance is compared with what happened") as step:
            rows = await _settled_rows(api, live_part, viewers)
            step.detail(f"{sum(row.agrees for row in rows)} of {len(rows)} agree")
        recording = await self._recording(api, created)
        rows += recording.rows(live_part.on_air)
        media = participants.media(live_part.live_since)
        return DemoResult(created, media, rows, live_part.hls, recording)

    async def _recording(self, api: HostApi, created: CreatedIds) -> RecordingCheck:
        with self._display.step("The recording is downloaded and looked at") as step:
            recording = await check_recording(api, created.session_id)
            step.detail(f"{recording.probed.format.duration:.1f} s, {recording.size / 1e6:.1f} MB")
        return recording


async def _settled_rows(api: HostApi, live_part: LivePart, viewers: Sequence[ObservedViewer]) -> list[Row]:
    """The comparison once everything agrees, or as it stands at the deadline.

    The attendance learns a moment after the end who left last.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_SECONDS
    while True:
        counts = await live_part.viewer_counts.read()
        reported = ReportedFigures(
            attendance=await api.attendance(counts.session.id),
            stats=await api.statistics(counts.session.id),
            session=counts.session,
            highest_count=live_part.viewer_counts.highest,
        )
        rows = compare(viewers, live_part.live, reported)
        if agree(rows) or loop.time() > deadline:
            return rows
        await asyncio.sleep(POLL_SECONDS)
