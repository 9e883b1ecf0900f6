"""The port to LiveKit's server API."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, Self

from shared.contracts.states import Role

# The kinds of participants that LiveKit does not count among a room's.
NOT_COUNTED = frozenset({"egress", "agent"})


class TrackSource(StrEnum):
    """What a track shows, by LiveKit's names in grants."""

    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN_SHARE = "screen_share"
    SCREEN_SHARE_AUDIO = "screen_share_audio"


_MEDIA = frozenset({"audio", "video"})
_CARRIED = {
    TrackSource.CAMERA.value: "video",
    TrackSource.MICROPHONE.value: "audio",
    TrackSource.SCREEN_SHARE.value: "video",
    TrackSource.SCREEN_SHARE_AUDIO.value: "audio",
}


def fits_source(source: str, media: Iterable[str]) -> bool:
    """Whether a track of this source may carry these: track types ("audio", "video") or MIME types.

    Publishers declare source and type themselves, and LiveKit checks permissions by the source alone. Any
    other source than a `TrackSource` may carry either, but not both.
    """
    carried = {one.partition("/")[0].lower() for one in media} & _MEDIA
    return len(carried | ({_CARRIED[source]} if source in _CARRIED else set())) <= 1


@dataclass(frozen=True)
class Permissions:
    """What a participant may do; `can_publish_sources` None means any source, empty means none."""

    can_publish: bool = False
    can_publish_sources: tuple[TrackSource, ...] | None = None
    can_subscribe: bool = True
    can_publish_data: bool = False
    hidden: bool = False
    recorder: bool = False

    @classmethod
    def of(cls, message: Any, sources: Collection[str]) -> Self:
        """The permissions in a message of LiveKit's; `sources` in lower case, none means any."""
        return cls(
            can_publish=message.can_publish,
            can_publish_sources=tuple(source for source in TrackSource if source.value in sources) or None,
            can_subscribe=message.can_subscribe,
            can_publish_data=message.can_publish_data,
            hidden=message.hidden,
            recorder=message.recorder,
        )

    @property
    def publishes(self) -> bool:
        """Whether they may publish anything; LiveKit reads an empty list of sources as "any"."""
        return self.can_publish and self.can_publish_sources != ()

    def allows(self, source: str) -> bool:
        """Whether tracks of this source may be published."""
        return self.publishes and (self.can_publish_sources is None or source in self.can_publish_sources)

    def same_as(self, other: "Permissions") -> bool:
        """Whether both allow the same, however expressed."""
        return self._normal() == other._normal()

    def _normal(self) -> tuple[object, ...]:
        sources = frozenset(self.can_publish_sources or TrackSource) if self.publishes else frozenset()
        return (sources, self.can_subscribe, self.can_publish_data, self.hidden, self.recorder)


@dataclass(frozen=True)
class LiveKitRoom:
    sid: str
    name: str
    created_at: datetime
    num_participants: int
    metadata: str = ""


@dataclass(frozen=True)
class LiveKitTrack:
    """One published track; `type` and `source` are LiveKit's in lower case, sizes in pixels (0 for sound).

    `type` is what its publisher declared, `mime_types` are those of the media that LiveKit received.
    """

    sid: str
    type: str
    source: str
    muted: bool
    width: int = 0
    height: int = 0
    mime_types: tuple[str, ...] = ()

    @property
    def fits_source(self) -> bool:
        """Whether it carries what its source says."""
        return fits_source(self.source, [self.type, *self.mime_types])


@dataclass(frozen=True)
class LiveKitParticipant:
    """One connection in a room; `kind` and `state` are LiveKit's in lower case (standard …; active …)."""

    sid: str
    identity: str
    name: str
    kind: str
    state: str
    joined_at: datetime
    permissions: Permissions
    attributes: dict[str, str] = field(default_factory=dict)
    tracks: tuple[LiveKitTrack, ...] = ()
    metadata: str = ""

    @property
    def hidden(self) -> bool:
        return self.permissions.hidden

    @property
    def recorder(self) -> bool:
        return self.permissions.recorder


# The status of an ingress whose encoder is in the room.
PUBLISHING = "publishing"


@dataclass(frozen=True)
class IngressVideo:
    """The picture that an encoder sends: its codec (`h264`), and its size in pixels, 0 if not known yet."""

    codec: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class IngressAudio:
    """The sound that an encoder sends: its codec (`aac`), samples a second, channels; 0 if not known yet."""

    codec: str
    sample_rate: int = 0
    channels: int = 0


@dataclass(frozen=True)
class IngressInput:
    """What an encoder sends; None for what it does not. `problem` says what of it is not passed on."""

    video: IngressVideo | None = None
    audio: IngressAudio | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Ingress:
    """An RTMP input of a room: encoders send to `url` with `stream_key`, which is a secret.

    `status` is LiveKit's in lower case: inactive, buffering, publishing, error, complete; it, the times of
    the last publishing, and what is sent (`input`, None if not known) do not make it another ingress.
    """

    ingress_id: str
    url: str
    stream_key: str = field(repr=False)
    room: str = ""
    name: str = ""
    identity: str = ""
    status: str = field(default="inactive", compare=False)
    started_at: datetime | None = field(default=None, compare=False)
    ended_at: datetime | None = field(default=None, compare=False)
    input: IngressInput | None = field(default=None, compare=False)


class Ingresses(Protocol):
    """LiveKit's ingresses, or our own. Every call has a deadline; each raises `Unavailable`."""

    async def create_rtmp_ingress(
        self, room: str, identity: str, *, name: str, participant_name: str
    ) -> Ingress:
        """Make a new ingress (`name` is for operators) that joins `room` as `identity`."""
        ...

    async def delete_ingress(self, ingress_id: str) -> None:
        """Delete an ingress; does nothing if it does not exist."""
        ...

    async def list_ingresses(self, room: str | None = None) -> Sequence[Ingress]:
        """All, or those of one room."""
        ...


class LiveKit(Ingresses, Protocol):
    """LiveKit's server API. Every call has a deadline.

    Each raises `shared.errors.Unavailable` if LiveKit is unavailable, and
    `LiveKitRefused` (502) if it refuses the call as such.
    """

    async def create_room(
        self,
        name: str,
        *,
        empty_timeout: int,
        departure_timeout: int,
        max_participants: int = 0,
        metadata: str = "",
    ) -> None:
        """Open the room; an open one stays. Timeouts in seconds; `max_participants` 0 means no limit."""
        ...

    async def delete_room(self, name: str) -> None:
        """Close the room and disconnect everybody; does nothing if it does not exist.

        Also one whose server has died, with its stale participants.
        """
        ...

    async def remove_participant(self, room: str, identity: str) -> bool:
        """Disconnect a participant; False if there is none. Their token still lets them join again."""
        ...

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
        """Replace what is given of a connected participant; a name or metadata cannot be made empty.

        False if there is no such participant.
        """
        ...

    async def send_data(
        self, room: str, payload: bytes, *, topic: str, destination_identities: Sequence[str] = ()
    ) -> bool:
        """Send a message to everybody in the room, or to these identities; False if there is no such room.

        Delivered reliably to connected participants only.
        """
        ...

    async def list_rooms(self, names: Sequence[str] | None = None) -> list[LiveKitRoom]:
        """The open rooms: all, or those of `names` that are open."""
        ...

    async def list_participants(self, room: str) -> list[LiveKitParticipant]:
        """Who is connected, hidden ones included; empty for a room that does not exist."""
        ...

    async def get_participant(self, room: str, identity: str) -> LiveKitParticipant | None:
        """Somebody who is connected, None if nobody has this identity."""
        ...

    async def runs_room(self, name: str) -> bool:
        """Whether a server runs the room: after a server's death its rooms are still listed."""
        ...

    async def has_participant(self, room: str, identity: str) -> bool:
        """Whether a server has this participant: after a server's death its participants are still listed."""
        ...

    async def remove_stale_participant(self, room: str, identity: str) -> None:
        """Take a participant off the list that no server has; a real one of this identity is disconnected."""
        ...

    async def answers(self) -> bool:
        """Whether a server answers at all: the cheapest check, for frequent use. Raises nothing."""
        ...

    async def ping(self) -> None:
        """A small call that needs the right API key."""
        ...

    async def close(self) -> None: ...
