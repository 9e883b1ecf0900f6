"""LiveKit in memory, for tests: rooms, participants and ingresses as the server keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.clock import Clock, SystemClock
from shared.contracts.states import Role
from shared.errors import Unavailable
from shared.ids import new_id
from shared.livekit.ports import Ingress, LiveKitParticipant, LiveKitRoom, LiveKitTrack, Permissions
from shared.livekit.tokens import ROLE_ATTRIBUTE, JoinGrant

RTMP_URL = "rtmp://livekit.test/live"


@dataclass(frozen=True)
class SentData:
    """A message that was sent into a room; to everybody where it names no identities."""

    room: str
    topic: str
    payload: bytes
    identities: tuple[str, ...]


@dataclass(frozen=True)
class RoomSettings:
    """What a room was created with; timeouts in seconds."""

    empty_timeout: int
    departure_timeout: int
    max_participants: int


class FakeLiveKit:
    """The `LiveKit` port. `down` makes every call raise `Unavailable` until `up`; `calls` names them all.

    `sent` is what was sent into rooms, `room_settings` what rooms were opened with.

    People connect by `connect`, since there is no media server to connect to; `crash` makes them stale.
    """

    def __init__(self, clock: Clock | None = None):
        self.rooms: dict[str, LiveKitRoom] = {}
        self.participants: dict[str, dict[str, LiveKitParticipant]] = {}
        self.ingresses: dict[str, Ingress] = {}
        self.calls: list[str] = []
        self.sent: list[SentData] = []
        self.room_settings: dict[str, RoomSettings] = {}
        self.closed = False
        self._clock = clock or SystemClock()
        self._away = False
        # What servers really run: rooms, and (room, sid) of those connected.
        self._run: set[str] = set()
        self._connected: set[tuple[str, str]] = set()

    def down(self) -> None:
        self._away = True

    def up(self) -> None:
        self._away = False

    def crash(self) -> None:
        """The server dies and is replaced: rooms and participants stay listed, and nobody has them."""
        self._run.clear()
        self._connected.clear()

    def disconnect(self, room: str, identity: str) -> None:
        """Somebody leaves."""
        gone = self.participants[room].pop(identity)
        self._connected.discard((room, gone.sid))

    def connect(self, grant: JoinGrant) -> LiveKitParticipant:
        """Somebody connects with a token of this grant; raises KeyError where the room is not open."""
        participant = LiveKitParticipant(
            sid=_sid("PA"),
            identity=grant.identity,
            name=grant.name,
            kind="standard",
            state="active",
            joined_at=self._clock.now(),
            permissions=grant.permissions,
            attributes=grant.attributes(self._clock.now()),
            metadata=grant.terms.metadata or "",
        )
        self.participants[self.rooms[grant.room].name][grant.identity] = participant
        self._run.add(grant.room)
        self._connected.add((grant.room, participant.sid))
        return participant

    def publish_from(self, ingress: Ingress) -> LiveKitParticipant:
        """An encoder begins to send: LiveKit Ingress first joins the room, and reports it only then.

        Raises KeyError if the room is not open: with `auto_create: false` it is thrown out.
        """
        grant = JoinGrant(room=ingress.room, identity=ingress.identity, name="", role=Role.HOST)
        joined = self.connect(grant)
        tracks = (LiveKitTrack(_sid("TR"), "video", "camera", muted=False, width=1280, height=720),)
        sending = replace(joined, kind="ingress", attributes={}, tracks=tracks)
        self.participants[ingress.room][ingress.identity] = sending
        begun = replace(ingress, status="publishing", started_at=self._now(), ended_at=None)
        self.ingresses[ingress.ingress_id] = begun
        return sending

    def kill_ingress(self, ingress: Ingress) -> None:
        """Its worker dies: LiveKit takes the participant off the room; its record stays as it was."""
        self.disconnect(ingress.room, ingress.identity)

    def publish(self, room: str, identity: str, *tracks: LiveKitTrack) -> None:
        """Somebody publishes these as well; raises ValueError for a source that is not permitted to them."""
        one = self.participants[room][identity]
        if not all(one.permissions.allows(track.source) for track in tracks):
            raise ValueError("LiveKit does not permit this source")
        self.participants[room][identity] = replace(one, tracks=(*one.tracks, *tracks))

    async def create_room(
        self,
        name: str,
        *,
        empty_timeout: int,
        departure_timeout: int,
        max_participants: int = 0,
        metadata: str = "",
    ) -> None:
        self._called("create_room")
        if name not in self.rooms:
            self.room_settings[name] = RoomSettings(empty_timeout, departure_timeout, max_participants)
            self.rooms[name] = LiveKitRoom(_sid("RM"), name, self._now(), 0, metadata)
            self.participants[name] = {}
        self._run.add(name)

    async def delete_room(self, name: str) -> None:
        self._called("delete_room")
        self._run.discard(name)
        self.rooms.pop(name, None)
        self.participants.pop(name, None)

    async def remove_participant(self, room: str, identity: str) -> bool:
        self._called("remove_participant")
        return self.participants.get(room, {}).pop(identity, None) is not None

    async def update_participant(
        self,
        room: str,
        identity: str,
        permissions: Permissions | None = None,
        role: Role | None = None,
        *,
        name: str | None = None,
        metadata: str | None = None,
    ) -> bool:
        self._called("update_participant")
        known = self.participants.get(room, {}).get(identity)
        if known is None:
            return False
        permissions = permissions or known.permissions
        self.participants[room][identity] = replace(
            known,
            permissions=permissions,
            attributes=known.attributes | ({ROLE_ATTRIBUTE: role.value} if role else {}),
            tracks=tuple(one for one in known.tracks if permissions.allows(one.source)),
            name=name or known.name,
            metadata=metadata or known.metadata,
        )
        return True

    async def send_data(
        self, room: str, payload: bytes, *, topic: str, destination_identities: Sequence[str] = ()
    ) -> bool:
        self._called("send_data")
        if room not in self.rooms:
            return False
        self.sent.append(SentData(room, topic, payload, tuple(destination_identities)))
        return True

    async def list_rooms(self, names: Sequence[str] | None = None) -> list[LiveKitRoom]:
        self._called("list_rooms")
        wanted = [room for room in self.rooms.values() if names is None or room.name in names]
        return [replace(room, num_participants=self._count(room.name)) for room in wanted]

    def _count(self, room: str) -> int:
        return sum((room, one.sid) in self._connected for one in self.participants[room].values())

    async def list_participants(self, room: str) -> list[LiveKitParticipant]:
        self._called("list_participants")
        return list(self.participants.get(room, {}).values())

    async def get_participant(self, room: str, identity: str) -> LiveKitParticipant | None:
        self._called("get_participant")
        return self.participants.get(room, {}).get(identity)

    async def runs_room(self, name: str) -> bool:
        self._called("runs_room")
        return name in self._run

    async def has_participant(self, room: str, identity: str) -> bool:
        self._called("has_participant")
        participant = self.participants.get(room, {}).get(identity)
        return participant is not None and (room, participant.sid) in self._connected

    async def remove_stale_participant(self, room: str, identity: str) -> None:
        self._called("remove_stale_participant")
        self.participants.get(room, {}).pop(identity, None)

    async def create_rtmp_ingress(
        self, room: str, identity: str, name: str, participant_name: str
    ) -> Ingress:
        del participant_name
        self._called("create_rtmp_ingress")
        ingress = Ingress(_sid("IN"), RTMP_URL, _sid("key"), room, name, identity)
        self.ingresses[ingress.ingress_id] = ingress
        return ingress

    async def delete_ingress(self, ingress_id: str) -> None:
        self._called("delete_ingress")
        self.ingresses.pop(ingress_id, None)

    async def list_ingresses(self, room: str | None = None) -> list[Ingress]:
        self._called("list_ingresses")
        return [ingress for ingress in self.ingresses.values() if room is None or ingress.room == room]

    async def answers(self) -> bool:
        return not self._away

    async def ping(self) -> None:
        self._called("ping")

    async def close(self) -> None:
        self.closed = True

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self._away:
            raise Unavailable("LiveKit is unavailable")

    def _now(self) -> datetime:
        return self._clock.now()


def _sid(prefix: str) -> str:
    return f"{prefix}_{new_id().replace('-', '')}"
