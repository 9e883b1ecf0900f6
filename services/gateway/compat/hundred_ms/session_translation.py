"""Sessions and their peers as 100ms shows them; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.gateway.compat.hundred_ms.roles import shown_role
from services.gateway.compat.hundred_ms.schemas import (
    ActivePeer,
    ActivePeerWithTracks,
    ActiveRoom,
    ActiveRoomSession,
    HundredMsSession,
    PeerTrack,
    SessionPeer,
)

Native = Mapping[str, Any]


def session(native: Native, connections: Iterable[Native], customer_id: str) -> HundredMsSession:
    """One that has begun. It is created when its first peer joins."""
    peers = [_session_peer(one) for one in connections]
    return HundredMsSession(
        id=native["id"],
        room_id=native["room_id"],
        customer_id=customer_id,
        app_id=native["host_id"],
        active=native["status"] == "live",
        peers={peer.id: peer for peer in peers},
        created_at=native["started_at"],
        updated_at=native["ended_at"] or native["updated_at"],
    )


def active_room(native: Native, participants: Iterable[Native], customer_id: str) -> ActiveRoom:
    """The room of a live session."""
    return ActiveRoom(
        id=native["room_id"],
        name=native["room_name"] or native["room_id"],
        customer_id=customer_id,
        session=ActiveRoomSession(
            id=native["id"], created_at=native["started_at"], peers=[one["id"] for one in participants]
        ),
    )


def active_peer(participant: Native) -> ActivePeer:
    return ActivePeer.model_validate(_active_fields(participant))


def active_peer_with_tracks(participant: Native) -> ActivePeerWithTracks:
    tracks = [_track(one, participant) for one in participant["tracks"]]
    fields = _active_fields(participant) | {"tracks": {track.id: track for track in tracks}}
    return ActivePeerWithTracks.model_validate(fields)


def user_id(native: Native) -> str:
    """The customer's own name for somebody, or ours if they gave none."""
    return str(native["external_user_id"] or native["user_id"])


def _session_peer(connection: Native) -> SessionPeer:
    who = user_id(connection)
    return SessionPeer(
        id=connection["id"],
        session_id=connection["session_id"],
        name=connection["name"],
        role=shown_role(connection["role"]),
        user_id=who,
        user=who,
        joined_at=connection["joined_at"],
        left_at=connection["left_at"],
    )


def _active_fields(participant: Native) -> dict[str, Any]:
    return {
        "id": participant["id"],
        "name": participant["name"],
        "user_id": user_id(participant),
        "metadata": participant["metadata"] or "",
        "role": shown_role(participant["role"]),
        "joined_at": participant["joined_at"],
    }


def _track(track: Native, participant: Native) -> PeerTrack:
    """LiveKit does not say when a track began: no earlier than its participant joined."""
    return PeerTrack(
        id=track["sid"],
        stream_id=participant["participant_sid"],
        mute=track["muted"],
        type=track["type"],
        source="screen" if track["source"].startswith("screen") else "regular",
        started_at=participant["joined_at"],
    )
