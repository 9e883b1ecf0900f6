"""What each role may do in a session: one pure function, for every check, every token and the reconciler."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.contracts.states import PresetSettings, Role, StageSeat
from shared.livekit.ports import TrackSource
from shared.livekit.tokens import JoinGrant


@dataclass(frozen=True, kw_only=True)
class Switches:
    """What is switched on in a session now: the runtime override if there is one, else the preset's."""

    chat: bool = True
    stage: bool = True
    polls: bool = True


@dataclass(frozen=True, kw_only=True)
class RolePermissions:
    """What one person may do in one session. `publish` are track sources; empty means none."""

    publish: tuple[TrackSource, ...]
    chat_send_text: bool
    chat_send_file: bool
    chat_receive: bool
    chat_manage: bool
    poll_create: bool
    poll_vote: bool
    poll_view: bool
    poll_manage: bool
    stage_request: bool
    stage_manage: bool
    see_participants: bool
    see_viewers: bool
    see_viewer_count: bool
    add_co_host: bool
    moderate: bool
    control: bool


class SessionRules(Protocol):
    """The part of a session that permissions depend on; `SessionState` and the aggregate both have it."""

    @property
    def host_id(self) -> str: ...
    @property
    def roles(self) -> Mapping[str, Role]: ...
    @property
    def stage(self) -> Mapping[str, StageSeat]: ...
    @property
    def chat_enabled_override(self) -> bool | None: ...
    @property
    def stage_enabled_override(self) -> bool | None: ...


def role_of(session: SessionRules, user_id: str) -> Role:
    """A person's role in the session: host, granted role, on stage, else audience."""
    if user_id == session.host_id:
        return Role.HOST
    seated = Role.STAGE if user_id in session.stage else Role.AUDIENCE
    return session.roles.get(user_id, seated)


def switches_of(session: SessionRules, preset: PresetSettings) -> Switches:
    chat, stage = session.chat_enabled_override, session.stage_enabled_override
    return Switches(
        chat=preset.chat_enabled if chat is None else chat,
        stage=preset.stage_enabled if stage is None else stage,
        polls=preset.poll_enabled,
    )


def permissions_in_session(
    session: SessionRules, preset: PresetSettings, user_id: str, role: Role | None = None
) -> RolePermissions:
    """What a person may do in a session; `role` if it is not that of their id (an API key acts as the
    host)."""
    return permissions_for_role(
        role or role_of(session, user_id), preset, switches_of(session, preset), session.stage.get(user_id)
    )


def permissions_for_role(
    role: Role, preset: PresetSettings, switches: Switches, seat: StageSeat | None = None
) -> RolePermissions:
    """The permission function.

    The preset's `host_*` flags apply to host and co-hosts, its `audience_*` flags to everybody else, and
    `moderator_*` to moderators as well. People who manage chat or polls also see them. A `seat` is a guest's
    place on stage, which a moderator may have as well.
    """
    staff = role in {Role.HOST, Role.CO_HOST}
    moderator = role is Role.MODERATOR
    chat_manage = staff or (moderator and preset.moderator_manage_chat)
    poll_manage = staff or (moderator and preset.moderator_manage_poll)
    stage_manage = staff or (moderator and preset.moderator_manage_stage)
    return RolePermissions(
        publish=_sources(staff, preset, switches, seat),
        chat_send_text=switches.chat
        and (preset.host_chat_send_text if staff else preset.audience_chat_send_text),
        chat_send_file=switches.chat
        and (preset.host_chat_send_file if staff else preset.audience_chat_send_file),
        chat_receive=(moderator and chat_manage)
        or (preset.host_chat_receive_message if staff else preset.audience_chat_receive_message),
        chat_manage=chat_manage,
        poll_create=switches.polls
        and (
            preset.host_poll_create if staff else preset.audience_poll_create or (moderator and poll_manage)
        ),
        poll_vote=switches.polls and (preset.host_poll_vote if staff else preset.audience_poll_vote),
        poll_view=(moderator and poll_manage)
        or (preset.host_poll_view if staff else preset.audience_poll_view),
        poll_manage=poll_manage,
        stage_request=switches.stage and not staff and seat is None and preset.audience_stage_join_request,
        stage_manage=stage_manage,
        see_participants=staff or moderator or preset.audience_can_see_participants,
        see_viewers=staff
        or moderator
        or (preset.onstage_viewer_view if seat is not None else preset.audience_can_see_participants),
        see_viewer_count=staff or moderator or preset.viewer_count_visible,
        add_co_host=staff and preset.host_add_co_host,
        moderate=staff or moderator,
        control=role is Role.HOST or (staff and preset.host_add_co_host),
    )


def _sources(
    staff: bool, preset: PresetSettings, switches: Switches, seat: StageSeat | None
) -> tuple[TrackSource, ...]:
    """The sources a person may publish. Guests only on stage; hosts and co-hosts need no seat.

    A seat allows what it says, to staff only if it came with their token.
    """
    if staff:
        video = seat is None or not seat.reserved or seat.can_publish_video
        audio = seat is None or not seat.reserved or seat.can_publish_audio
        return _track_sources(preset.host_camera_enabled and video, audio, preset.host_screen_share and video)
    if seat is None or not switches.stage:
        return ()
    video = seat.can_publish_video
    return _track_sources(
        preset.onstage_camera_enabled and video, seat.can_publish_audio, preset.onstage_screen_share and video
    )


def _track_sources(camera: bool, microphone: bool, screen: bool) -> tuple[TrackSource, ...]:
    allowed = {
        TrackSource.CAMERA: camera,
        TrackSource.MICROPHONE: microphone,
        TrackSource.SCREEN_SHARE: screen,
        # A screen's sound may be anybody's voice.
        TrackSource.SCREEN_SHARE_AUDIO: screen and microphone,
    }
    return tuple(source for source, allows in allowed.items() if allows)


def join_grant(
    *,
    room: str,
    identity: str,
    name: str,
    role: Role,
    permissions: RolePermissions,
    key_id: str | None = None,
    is_guest: bool = False,
) -> JoinGrant:
    """The grant of a person's join token; chat goes through the API, so nobody publishes data.

    `key_id` is the API key that lets them in, if one does.
    """
    return JoinGrant(
        room=room,
        identity=identity,
        name=name,
        role=role,
        can_publish=bool(permissions.publish),
        can_publish_sources=permissions.publish,
        can_subscribe=True,
        key_id=key_id,
        is_guest=is_guest,
    )


def encoder_grant(
    *,
    room: str,
    identity: str,
    name: str,
    role: Role = Role.HOST,
    sources: tuple[TrackSource, ...] | None = None,
    issued_at: datetime | None = None,
    is_guest: bool = False,
) -> JoinGrant:
    """The grant of an encoder.

    `role` is that of whoever asked for its key, `issued_at` when they did, if that is known, and `sources`
    what they may publish, None if that is no limit.
    """
    return JoinGrant(
        room=room,
        identity=identity,
        name=name,
        role=role,
        can_publish=True,
        can_publish_sources=sources,
        can_subscribe=False,
        issued_at=issued_at,
        is_guest=is_guest,
    )


def monitor_grant(
    *,
    room: str,
    identity: str,
    name: str,
    role: Role,
    key_id: str | None = None,
    is_guest: bool = False,
) -> JoinGrant:
    """The grant of a monitor: hidden, and subscribing only. `key_id` as in `join_grant`."""
    return JoinGrant(
        room=room,
        identity=identity,
        name=name,
        role=role,
        hidden=True,
        key_id=key_id,
        is_guest=is_guest,
    )
