"""LiveKit's server API over its SDK: rooms, participants, ingress."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from livekit.api import TwirpErrorCode
from livekit.protocol import ingress as ingress_protocol
from livekit.protocol import models as models_protocol
from livekit.protocol import room as room_protocol

from shared.clock import SystemClock, from_unix_ms, from_unix_ns
from shared.contracts.states import Role
from shared.livekit.egress_api import DEADLINE, LiveKitEgressClient
from shared.livekit.ports import (
    Ingress,
    IngressAudio,
    IngressInput,
    IngressVideo,
    LiveKitParticipant,
    LiveKitRoom,
    LiveKitTrack,
    Permissions,
)
from shared.livekit.sdk import (
    LiveKitRefused,
    NoServerForIt,
    SdkConnection,
    SdkMethod,
    SignallingClient,
    all_items,
    call,
    stale_participant_grant,
)
from shared.livekit.tokens import ROLE_ATTRIBUTE, TokenMint

_PING_ROOM = "greenroom-ping"
# No participant has this name, so messages to it reach nobody.
_NOBODY = "greenroom-nobody"
_STALE_TOKEN_LIFETIME = timedelta(minutes=1)


class LiveKitApi:
    """The `LiveKit` port on a real server; `url` is http(s) or ws(s), `timeout` seconds a call."""

    def __init__(self, url: str, api_key: str, api_secret: str, *, timeout: float = 5.0):
        self._connection = SdkConnection(url, api_key, api_secret)
        self._signalling = SignallingClient(url)
        self._deadline = timeout

    def egresses(self, *, timeout: float = DEADLINE) -> LiveKitEgressClient:
        """The egress API of the same server, over the same connections: closed with this one."""
        return LiveKitEgressClient(self._connection, timeout=timeout)

    async def create_room(
        self,
        name: str,
        *,
        empty_timeout: int,
        departure_timeout: int,
        max_participants: int = 0,
        metadata: str = "",
    ) -> None:
        request = room_protocol.CreateRoomRequest(
            name=name,
            empty_timeout=empty_timeout,
            departure_timeout=departure_timeout,
            max_participants=max_participants,
            metadata=metadata,
        )
        async with call("create_room", self._deadline):
            await self._connection.sdk.room.create_room(request)

    async def delete_room(self, name: str) -> None:
        request = room_protocol.DeleteRoomRequest(room=name)
        try:
            await self._found(self._connection.sdk.room.delete_room, request)
        except NoServerForIt:
            # Its server died. Once another has taken it over, it can be deleted with its stale participants.
            async with call("create_room", self._deadline):
                await self._connection.sdk.room.create_room(room_protocol.CreateRoomRequest(name=name))
            await self._found(self._connection.sdk.room.delete_room, request)

    async def remove_participant(self, room: str, identity: str) -> bool:
        request = room_protocol.RoomParticipantIdentity(room=room, identity=identity)
        return await self._found(self._connection.sdk.room.remove_participant, request)

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
        request = room_protocol.UpdateParticipantRequest(
            room=room,
            identity=identity,
            permission=_permission(permissions) if permissions else None,
            attributes={ROLE_ATTRIBUTE: role.value} if role else {},
            name=name or "",
            metadata=metadata or "",
        )
        return await self._found(self._connection.sdk.room.update_participant, request)

    async def send_data(
        self, room: str, payload: bytes, *, topic: str, destination_identities: Sequence[str] = ()
    ) -> bool:
        request = room_protocol.SendDataRequest(
            room=room,
            data=payload,
            kind=models_protocol.DataPacket.RELIABLE,
            topic=topic,
            destination_identities=destination_identities,
        )
        return await self._found(self._connection.sdk.room.send_data, request)

    async def list_rooms(self, names: Sequence[str] | None = None) -> list[LiveKitRoom]:
        if names is not None and not names:
            return []
        async with call("list_rooms", self._deadline):
            answer = await self._connection.sdk.room.list_rooms(
                room_protocol.ListRoomsRequest(names=names or [])
            )
        return [_room(room) for room in answer.rooms]

    async def list_participants(self, room: str) -> list[LiveKitParticipant]:
        request = room_protocol.ListParticipantsRequest(room=room)
        try:
            async with call("list_participants", self._deadline):
                answer = await self._connection.sdk.room.list_participants(request)
        except LiveKitRefused as error:
            _unless_not_found(error)
            return []
        return [_participant(participant) for participant in answer.participants]

    async def get_participant(self, room: str, identity: str) -> LiveKitParticipant | None:
        request = room_protocol.RoomParticipantIdentity(room=room, identity=identity)
        try:
            async with call("get_participant", self._deadline):
                return _participant(await self._connection.sdk.room.get_participant(request))
        except LiveKitRefused as error:
            _unless_not_found(error)
            return None

    async def runs_room(self, name: str) -> bool:
        request = room_protocol.SendDataRequest(room=name, destination_identities=[_NOBODY])
        return await self._served(self._connection.sdk.room.send_data, request)

    async def has_participant(self, room: str, identity: str) -> bool:
        request = room_protocol.UpdateSubscriptionsRequest(room=room, identity=identity)
        return await self._served(self._connection.sdk.room.update_subscriptions, request)

    async def remove_stale_participant(self, room: str, identity: str) -> None:
        mint = TokenMint(self._connection.key, self._connection.secret, SystemClock())
        token = mint.join_token(stale_participant_grant(room, identity), lifetime=_STALE_TOKEN_LIFETIME)
        async with call("connect_and_leave", self._deadline):
            await self._signalling.connect_and_leave(token)

    async def create_rtmp_ingress(
        self, room: str, identity: str, name: str, participant_name: str
    ) -> Ingress:
        request = ingress_protocol.CreateIngressRequest(
            input_type=ingress_protocol.IngressInput.RTMP_INPUT,
            name=name,
            room_name=room,
            participant_identity=identity,
            participant_name=participant_name,
        )
        async with call("create_ingress", self._deadline):
            return _ingress(await self._connection.sdk.ingress.create_ingress(request))

    async def delete_ingress(self, ingress_id: str) -> None:
        request = ingress_protocol.DeleteIngressRequest(ingress_id=ingress_id)
        await self._found(self._connection.sdk.ingress.delete_ingress, request)

    async def list_ingresses(self, room: str | None = None) -> list[Ingress]:
        request = ingress_protocol.ListIngressRequest(room_name=room or "")
        items = all_items(self._connection.sdk.ingress.list_ingress, request, self._deadline)
        return [_ingress(info) async for info in items]

    async def _found(self, method: SdkMethod, request: Any) -> bool:
        """Make a call about one thing; False if LiveKit says that it does not exist."""
        try:
            async with call(method.__name__, self._deadline):
                await method(request)
        except LiveKitRefused as error:
            return _unless_not_found(error)
        return True

    async def _served(self, method: SdkMethod, request: Any) -> bool:
        """As `_found`, but False also if no server has the thing."""
        try:
            return await self._found(method, request)
        except NoServerForIt:
            return False

    async def answers(self) -> bool:
        return await self._signalling.answers()

    async def ping(self) -> None:
        await self.list_rooms([_PING_ROOM])

    async def close(self) -> None:
        await self._signalling.close()
        await self._connection.close()


def _unless_not_found(error: LiveKitRefused) -> bool:
    """False for "not found"; any other refusal is raised."""
    if error.reason != TwirpErrorCode.NOT_FOUND:
        raise error
    return False


def _permission(permissions: Permissions) -> models_protocol.ParticipantPermission:
    sources = permissions.can_publish_sources or ()
    return models_protocol.ParticipantPermission(
        can_publish=permissions.publishes,
        can_publish_sources=[source.name for source in sources],
        can_subscribe=permissions.can_subscribe,
        can_publish_data=permissions.can_publish_data,
        hidden=permissions.hidden,
        recorder=permissions.recorder,
    )


def _room(room: models_protocol.Room) -> LiveKitRoom:
    created_at = _moment(room.creation_time_ms, room.creation_time)
    return LiveKitRoom(room.sid, room.name, created_at, room.num_participants, room.metadata)


def _participant(participant: models_protocol.ParticipantInfo) -> LiveKitParticipant:
    allowed = participant.permission.can_publish_sources
    sources = [models_protocol.TrackSource.Name(source).lower() for source in allowed]
    return LiveKitParticipant(
        sid=participant.sid,
        identity=participant.identity,
        name=participant.name,
        kind=models_protocol.ParticipantInfo.Kind.Name(participant.kind).lower(),
        state=models_protocol.ParticipantInfo.State.Name(participant.state).lower(),
        joined_at=_moment(participant.joined_at_ms, participant.joined_at),
        permissions=Permissions.of(participant.permission, sources),
        attributes=dict(participant.attributes),
        tracks=tuple(_track(track) for track in participant.tracks),
        metadata=participant.metadata,
    )


def _track(track: models_protocol.TrackInfo) -> LiveKitTrack:
    mime_types = (track.mime_type, *(codec.mime_type for codec in track.codecs))
    return LiveKitTrack(
        sid=track.sid,
        type=models_protocol.TrackType.Name(track.type).lower(),
        source=models_protocol.TrackSource.Name(track.source).lower(),
        muted=track.muted,
        width=track.width,
        height=track.height,
        mime_types=tuple(one for one in mime_types if one),
    )


def _ingress(info: ingress_protocol.IngressInfo) -> Ingress:
    status = ingress_protocol.IngressState.Status.Name(info.state.status)
    return Ingress(
        ingress_id=info.ingress_id,
        url=info.url,
        stream_key=info.stream_key,
        room=info.room_name,
        name=info.name,
        identity=info.participant_identity,
        status=status.removeprefix("ENDPOINT_").lower(),
        started_at=from_unix_ns(info.state.started_at),
        ended_at=from_unix_ns(info.state.ended_at),
        input=_ingress_input(info.state),
    )


def _ingress_input(state: ingress_protocol.IngressState) -> IngressInput | None:
    """None while nothing is sent, or nothing is known of it."""
    video, audio = state.video, state.audio
    if not (video.mime_type or audio.mime_type or state.error):
        return None
    return IngressInput(
        video=IngressVideo(_codec(video.mime_type), video.width, video.height) if video.mime_type else None,
        audio=IngressAudio(_codec(audio.mime_type), audio.sample_rate, audio.channels)
        if audio.mime_type
        else None,
        problem=state.error or None,
    )


def _codec(mime_type: str) -> str:
    return mime_type.rpartition("/")[2].lower()


def _moment(milliseconds: int, seconds: int) -> datetime:
    """LiveKit gives both; older servers only seconds."""
    return from_unix_ms(milliseconds or seconds * 1000)
