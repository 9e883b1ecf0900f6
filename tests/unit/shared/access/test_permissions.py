"""What each role may do in the room, and what its token therefore says."""

import pytest

from shared.access.permissions import (
    RolePermissions,
    Switches,
    encoder_grant,
    join_grant,
    monitor_grant,
    permissions_for_role,
)
from shared.contracts.states import PresetSettings, Role, StageSeat
from shared.livekit import TrackSource
from tests.unit.session.builders import T0, settings

CAMERA, MICROPHONE = TrackSource.CAMERA, TrackSource.MICROPHONE
SCREEN, SCREEN_AUDIO = TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO
EVERYTHING = (CAMERA, MICROPHONE, SCREEN, SCREEN_AUDIO)
SEAT = StageSeat(id="a stay", name="Anna", joined_stage_at=T0)


def permissions(role: Role, preset: PresetSettings) -> RolePermissions:
    return permissions_for_role(role, preset, Switches(), SEAT if role is Role.STAGE else None)


@pytest.mark.parametrize(
    ("role", "flags", "sources"),
    [
        (Role.HOST, {}, EVERYTHING),
        (Role.HOST, {"host_camera_enabled": False}, (MICROPHONE, SCREEN, SCREEN_AUDIO)),
        (Role.HOST, {"host_screen_share": False}, (CAMERA, MICROPHONE)),
        (Role.HOST, {"onstage_camera_enabled": False, "onstage_screen_share": False}, EVERYTHING),
        (Role.CO_HOST, {}, EVERYTHING),
        (Role.CO_HOST, {"host_camera_enabled": False, "host_screen_share": False}, (MICROPHONE,)),
        (Role.STAGE, {}, (CAMERA, MICROPHONE)),
        (Role.STAGE, {"onstage_screen_share": True}, EVERYTHING),
        (Role.STAGE, {"onstage_camera_enabled": False}, (MICROPHONE,)),
        (Role.STAGE, {"host_camera_enabled": False}, (CAMERA, MICROPHONE)),
        (Role.MODERATOR, {}, ()),
        (Role.AUDIENCE, {}, ()),
        (Role.AUDIENCE, {"onstage_screen_share": True}, ()),
    ],
)
def test_what_a_role_publishes(role: Role, flags: dict[str, bool], sources: tuple[TrackSource, ...]) -> None:
    may = permissions(role, settings(**flags))
    assert may.publish == sources
    grant = join_grant(room="a session", identity="anna:1", name="Anna", role=role, permissions=may)
    assert (grant.can_publish, grant.can_publish_sources) == (bool(sources), sources)
    assert grant.permissions.publishes == bool(sources)
    assert (grant.room, grant.identity, grant.name, grant.role) == ("a session", "anna:1", "Anna", role)


@pytest.mark.parametrize("role", Role)
def test_nobody_sends_data_or_hides(role: Role) -> None:
    grant = join_grant(
        room="a session", identity="anna:1", name="Anna", role=role, permissions=permissions(role, settings())
    )
    assert not grant.can_publish_data
    assert not grant.hidden
    assert not grant.recorder
    assert grant.can_subscribe


def test_an_encoder_publishes_and_sees_nothing() -> None:
    grant = encoder_grant(room="a session", identity="anna:whip", name="Anna")
    assert (grant.can_publish, grant.can_publish_sources, grant.can_subscribe) == (True, None, False)
    assert (grant.role, grant.hidden) == (Role.HOST, False)
    limited = encoder_grant(room="a session", identity="anna:whip", name="Anna", sources=(MICROPHONE,))
    assert limited.permissions.can_publish_sources == (MICROPHONE,)


def test_a_monitor_is_hidden_and_publishes_nothing() -> None:
    grant = monitor_grant(room="a session", identity="anna:2", name="Anna", role=Role.HOST)
    assert (grant.can_publish, grant.can_subscribe, grant.hidden) == (False, True, True)
    assert not grant.permissions.publishes
