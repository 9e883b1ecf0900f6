"""What each role may do in a session's LiveKit room: one pure function, for every token and every check."""

from shared.contracts.states import PresetSettings, Role, SessionState
from shared.livekit.ports import TrackSource
from shared.livekit.tokens import JoinGrant

_SCREEN = (TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO)


def role_of(session: SessionState, user_id: str) -> Role:
    """What a person is in the session: its host, what they were made, else audience."""
    if user_id == session.host_id:
        return Role.HOST
    return session.roles.get(user_id, Role.AUDIENCE)


def publish_sources(role: Role, preset: PresetSettings) -> tuple[TrackSource, ...]:
    """The track sources that `role` may publish; empty means none."""
    if role in {Role.HOST, Role.CO_HOST}:
        camera, screen = preset.host_camera_enabled, preset.host_screen_share
    elif role is Role.STAGE:
        camera, screen = preset.onstage_camera_enabled, preset.onstage_screen_share
    else:
        return ()
    cameras = (TrackSource.CAMERA,) if camera else ()
    return (*cameras, TrackSource.MICROPHONE, *(_SCREEN if screen else ()))


def join_grant(*, room: str, identity: str, name: str, role: Role, preset: PresetSettings) -> JoinGrant:
    """The grant of a person's join token; messages go through the API, so nobody publishes data."""
    sources = publish_sources(role, preset)
    return JoinGrant(
        room=room,
        identity=identity,
        name=name,
        role=role,
        can_publish=bool(sources),
        can_publish_sources=sources,
        can_subscribe=True,
    )


def encoder_grant(*, room: str, identity: str, name: str) -> JoinGrant:
    """The grant of the host's encoder by WHIP, which names no track source."""
    return JoinGrant(
        room=room, identity=identity, name=name, role=Role.HOST, can_publish=True, can_subscribe=False
    )


def monitor_grant(*, room: str, identity: str, name: str, role: Role) -> JoinGrant:
    """The grant of a monitor: hidden, and subscribing only."""
    return JoinGrant(room=room, identity=identity, name=name, role=role, hidden=True)
