"""Who takes part: viewers with one or two devices, a host who broadcasts, a monitor nobody sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deploy.demo.api import Api, HostApi, MemberApi
from deploy.demo.broadcast import Broadcast
from deploy.demo.connection import Connection
from deploy.demo.report import Witnessed

REMOVAL_SECONDS = 10.0


@dataclass(frozen=True)
class Venue:
    """Where everybody meets. `now` gives seconds on a steady clock."""

    session_id: str
    livekit_url: str
    now: Callable[[], float]


class Viewer:
    """One person, who may come several times and with several devices."""

    def __init__(self, name: str, first_device: MemberApi) -> None:
        self.name = name
        self.api = first_device
        self.user_id = first_device.signed_in.user.id
        self.connections: list[Connection] = []

    async def join(self, venue: Venue, device: MemberApi | None = None) -> Connection:
        """Take a token and connect, with the first device unless another is given."""
        api = device or self.api
        joined = await api.join(venue.session_id)
        label = self.name if device is None else f"{self.name}'s second device"
        connection = Connection(label, venue.now)
        self.connections.append(connection)
        await connection.open(venue.livekit_url, joined.livekit_token)
        return connection

    async def leave(self, venue: Venue) -> None:
        """Say so to the API, which has LiveKit end the first device's connection."""
        connection = self.connections[0]
        connection.leaving()
        await self.api.leave(venue.session_id)
        await connection.gone(REMOVAL_SECONDS)

    async def second_device(self, api: Api) -> MemberApi:
        return await api.device_login(self.api.signed_in.device_token)

    def witnessed(self, now: float) -> Witnessed:
        stays = [one.stay for one in self.connections if one.stay is not None]
        return Witnessed(
            user_id=self.user_id,
            name=self.name,
            surely=[stay.surely(now) for stay in stays],
            possibly=[stay.possibly(now) for stay in stays],
            joins=len(stays),
        )


class Host:
    """The person who broadcasts, and who monitors the session, too."""

    def __init__(self, api: HostApi) -> None:
        self.api = api
        self.connections: list[Connection] = []
        self.broadcast: Broadcast | None = None

    async def go_on_air(self, venue: Venue, token: str) -> None:
        connection = await self._connect(venue, "the host", token)
        self.broadcast = Broadcast(venue.now)
        await self.broadcast.start(connection.room)

    async def monitor(self, venue: Venue) -> Connection:
        """Watch hidden."""
        joined = await self.api.monitor(venue.session_id)
        return await self._connect(venue, "the monitor", joined.livekit_token)

    async def go_off_air(self) -> None:
        if self.broadcast is not None:
            await self.broadcast.stop()

    async def _connect(self, venue: Venue, label: str, token: str) -> Connection:
        connection = Connection(label, venue.now)
        self.connections.append(connection)
        await connection.open(venue.livekit_url, token)
        return connection
