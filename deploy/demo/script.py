"""The demo itself: a live session from the sign-in to the verdict, act by act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deploy.demo.api import Api, HostApi
from deploy.demo.house import House
from deploy.demo.outcome import Outcome, Place
from deploy.demo.people import Host, Venue, Viewer
from deploy.demo.performance import Performance
from deploy.demo.recording import Recorded, recorded
from deploy.demo.show import Show
from deploy.demo.verdict import settled_rows

NAMES = ("Ada", "Ben", "Cleo", "Dana", "Emil")


@dataclass(frozen=True)
class Plan:
    """`viewers` is two or more; `seconds` is the watching time, 10 or more."""

    livekit_url: str
    email: str
    password: str
    viewers: int
    seconds: float


class Script:
    """`now` gives seconds on a steady clock."""

    def __init__(self, api: Api, plan: Plan, show: Show, now: Callable[[], float]) -> None:
        self._api = api
        self._plan = plan
        self._show = show
        self._now = now

    async def run(self) -> Outcome:
        """Play the whole session. Raises DemoFailed or CallFailed; the session is over then, too."""
        host = await self._host_signs_in()
        place = await self._prepare(host.api)
        venue = Venue(place.session_id, self._plan.livekit_url, self._now)
        house = House(host, await self._viewers_register())
        performance = Performance(self._api, self._show, venue, house)
        try:
            await performance.play(self._plan.seconds)
        finally:
            await performance.tidy()
        return await self._compare(place, house, performance)

    async def _host_signs_in(self) -> Host:
        with self._show.step("The host signs in") as step:
            api = await self._api.login(self._plan.email, self._plan.password)
            step.detail(api.signed_in.user.username)
        return Host(api)

    async def _prepare(self, api: HostApi) -> Place:
        with self._show.step("The host makes a room, a preset and a session", total=3) as step:
            room = await api.create_room("Greenroom demo")
            step.advance()
            preset = await api.create_preset("Greenroom demo")
            step.advance()
            session = await api.create_session(room.id, preset.id, "A live session")
            step.detail(f"session {session.id}")
        return Place(room.id, preset.id, session.id)

    async def _viewers_register(self) -> list[Viewer]:
        names = [NAMES[at] if at < len(NAMES) else f"Viewer {at + 1}" for at in range(self._plan.viewers)]
        viewers = []
        with self._show.step("Viewers register", total=len(names)) as step:
            for name in names:
                viewers.append(Viewer(name, await self._api.register_viewer(name)))
                step.advance()
            step.detail(", ".join(names))
        return viewers

    async def _compare(self, place: Place, house: House, performance: Performance) -> Outcome:
        people = [viewer.witnessed(self._now()) for viewer in house.viewers]
        with self._show.step("The API's attendance is compared with what happened") as step:
            rows = await settled_rows(house.host.api, performance, people)
            step.detail(f"{sum(row.agrees for row in rows)} of {len(rows)} agree")
        recording = await self._recording(house.host.api, place)
        rows += recording.rows(performance.on_air)
        return Outcome(place, house.media(performance.live_since), rows, performance.played, recording)

    async def _recording(self, api: HostApi, place: Place) -> Recorded:
        with self._show.step("The recording is downloaded and looked at") as step:
            recording = await recorded(api, place.session_id)
            step.detail(f"{recording.probed.format.duration:.1f} s, {recording.size / 1e6:.1f} MB")
        return recording
