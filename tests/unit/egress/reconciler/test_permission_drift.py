"""Whose permissions are checked, against what, and how a difference is told."""

from dataclasses import replace
from typing import Any

import pytest

from services.egress.drift.domain import Kind
from services.egress.reconciler.permission_drift import (
    expected_permissions_of,
    may_publish,
    permission_drift,
    track_drift,
)
from shared.contracts.states import Role
from shared.livekit import LiveKitTrack, Permissions, TrackSource
from tests.unit.egress.reconciler.builders import HOST, SEAT, T0, VIEWER, connection, permissions, state

ALL = tuple(TrackSource)


@pytest.mark.parametrize(
    ("user", "fields", "role"),
    [
        (HOST, {}, Role.HOST),
        (VIEWER, {}, Role.AUDIENCE),
        (VIEWER, {"stage": {VIEWER: SEAT}}, Role.STAGE),
        (VIEWER, {"roles": {VIEWER: Role.CO_HOST}}, Role.CO_HOST),
        (VIEWER, {"roles": {VIEWER: Role.MODERATOR}}, Role.MODERATOR),
        (VIEWER, {"stage": {HOST: SEAT}}, Role.AUDIENCE),
    ],
)
def test_the_session_says_who_somebody_is(user: str, fields: dict[str, Any], role: Role) -> None:
    session = state(**fields)
    claimed = connection("PA_1", user, role=Role.HOST)
    assert expected_permissions_of(session, claimed) == permissions(session, role)


@pytest.mark.parametrize(
    "fields",
    [
        {"hidden": True},
        {"recorder": True},
        {"kind": "egress"},
        {"kind": "ingress"},
        {"kind": "agent"},
        {"user": HOST, "identity": f"{HOST}:whip"},
        {"user": HOST, "identity": f"{HOST}:ingress"},
    ],
)
def test_who_is_left_alone(fields: dict[str, Any]) -> None:
    one = connection("PA_1", **fields)
    assert expected_permissions_of(state(), one) is None
    assert permission_drift(state(), one, Permissions(can_publish=True)) is None


def test_an_encoder_of_somebody_else_is_nobody_s() -> None:
    session = state()
    other = connection("PA_1", VIEWER, identity=f"{VIEWER}:whip")
    assert expected_permissions_of(session, other) == permissions(session, Role.AUDIENCE)


@pytest.mark.parametrize(
    ("observed", "told"),
    [
        (
            Permissions(can_publish=True, can_publish_sources=ALL),
            "publishes camera, microphone, screen_share",
        ),
        (Permissions(can_publish=True), "publishes anything"),
        (Permissions(can_publish_data=True), "publishes nothing; sends data"),
        (Permissions(can_subscribe=False), "publishes nothing; receives nothing"),
        (Permissions(hidden=True), "publishes nothing; hidden"),
        (Permissions(recorder=True), "publishes nothing; recorder"),
    ],
)
def test_what_an_audience_may_not_do(observed: Permissions, told: str) -> None:
    drift = permission_drift(state(), connection("PA_1"), observed)
    assert drift is not None
    assert (drift.expected, drift.permissions) == ("audience: publishes nothing", observed)
    assert drift.observed.startswith(told)


def test_the_same_put_in_another_way_is_no_difference() -> None:
    session = state(roles={VIEWER: Role.CO_HOST})
    expected = permissions(session, Role.CO_HOST)
    for observed in (
        replace(expected, can_publish_sources=tuple(reversed(ALL))),
        replace(expected, can_publish_sources=None),
    ):
        assert permission_drift(session, connection("PA_1"), observed) is None
    nothing = Permissions(can_publish=True, can_publish_sources=())
    assert permission_drift(state(), connection("PA_1"), nothing) is None


@pytest.mark.parametrize("observed", [Permissions(), Permissions(can_publish=True), Permissions(hidden=True)])
def test_who_is_banned_has_to_go(observed: Permissions) -> None:
    session = state(banned={VIEWER: T0})
    drift = permission_drift(session, connection("PA_1", hidden=observed.hidden), observed)
    assert drift is not None
    assert (drift.kind, drift.expected, drift.observed) == (Kind.BANNED, "banned", "connected")
    assert permission_drift(session, connection("PA_2", HOST), permissions(session, Role.HOST)) is None
    assert permission_drift(session, connection("PA_3", recorder=True), observed) is None


def track(type_: str, source: str, *mime_types: str) -> LiveKitTrack:
    return LiveKitTrack("TR_1", type_, source, muted=False, mime_types=mime_types)


SOUNDS = {TrackSource.MICROPHONE, TrackSource.SCREEN_SHARE_AUDIO}


@pytest.mark.parametrize("source", TrackSource)
@pytest.mark.parametrize("type_", ["audio", "video"])
@pytest.mark.parametrize("user", [HOST, VIEWER])
def test_a_track_carries_what_its_source_says(user: str, type_: str, source: TrackSource) -> None:
    drift = track_drift(state(), connection("PA_1", user), [track(type_, source.value)])
    if (type_ == "audio") is (source in SOUNDS):
        assert drift is None
        return
    assert drift is not None
    assert (drift.kind, drift.observed) == (Kind.TRACK, f"publishes {type_} as {source.value}")


@pytest.mark.parametrize("identity", [f"{HOST}:whip", f"{HOST}:ingress"])
def test_encoders_and_ingresses_may_not_lie_either(identity: str) -> None:
    for kind in ("standard", "ingress"):
        one = connection("PA_1", HOST, identity=identity, kind=kind)
        assert track_drift(state(), one, [track("audio", "camera")]) is not None
        assert track_drift(state(), one, [track("audio", "unknown"), track("video", "unknown")]) is None


@pytest.mark.parametrize(
    ("false", "told"),
    [
        (track("video", "camera", "audio/opus"), "publishes video, audio/opus as camera"),
        (
            track("video", "screen_share", "video/VP8", "audio/red"),
            "publishes video, video/VP8, audio/red as",
        ),
        (track("audio", "microphone", "video/H264"), "publishes audio, video/H264 as microphone"),
        (track("video", "unknown", "audio/opus"), "publishes video, audio/opus as unknown"),
    ],
)
def test_the_media_themselves_count_too(false: LiveKitTrack, told: str) -> None:
    honest = track("video", "camera", "video/VP8", "video/vp9")
    drift = track_drift(state(), connection("PA_1"), [honest, false])
    assert drift is not None
    assert drift.tracks == (false,)
    assert drift.observed.startswith(told)


@pytest.mark.parametrize(
    ("seat", "allowed"),
    [
        ({}, {"camera", "microphone", "screen_share", "screen_share_audio"}),
        ({"can_publish_audio": False}, {"camera", "screen_share"}),
        ({"can_publish_video": False}, {"microphone"}),
    ],
)
def test_what_a_guest_may_publish(seat: dict[str, bool], allowed: set[str]) -> None:
    session = state(stage={VIEWER: SEAT.model_copy(update=seat)})
    session = session.model_copy(
        update={"preset": session.preset.model_copy(update={"onstage_screen_share": True})}
    )
    guest = connection("PA_1")
    honest = [track("audio" if source in SOUNDS else "video", source.value) for source in TrackSource]
    assert {one.source for one in honest if may_publish(session, guest, one)} == allowed
    for false in (track("audio", "camera"), track("video", "microphone"), track("video", "unknown")):
        assert not may_publish(session, guest, false)
