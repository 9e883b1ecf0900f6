"""Whose permissions are checked, against what, and how a difference is told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.egress.drift.domain import Kind
from services.egress.reconciler.permission_drift import (
    expected_permissions_of,
    may_publish,
    permission_drift,
    track_drift,
)
from shared.access.revocations import Revocations, Revoked
from shared.access.room_permissions import revoked_by
from shared.contracts.states import Role
from shared.livekit import LiveKitTrack, Permissions, TrackSource
from tests.fakes.fake_clock import FakeClock
from tests.unit.egress.reconciler.builders import HOST, SEAT, T0, VIEWER, connection, permissions, state

ALL = tuple(TrackSource)
KEY = "01890a5d-ac96-774b-bcce-b302099a8077"


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
        {"user": HOST, "hidden": True},
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


CONTROLS = {"host_add_co_host": True}


@pytest.mark.parametrize("way", ["whip", "ingress", f"whip:{KEY}", f"ingress:{KEY}"])
@pytest.mark.parametrize(
    ("roles", "preset", "stays"),
    [
        ({}, CONTROLS, False),
        ({VIEWER: Role.MODERATOR}, CONTROLS, False),
        ({VIEWER: Role.CO_HOST}, {"host_add_co_host": False}, False),
        ({VIEWER: Role.CO_HOST}, CONTROLS, True),
    ],
)
def test_an_encoder_stays_while_who_asked_for_it_controls_the_session(
    roles: dict[str, Role], preset: dict[str, bool], stays: bool, way: str
) -> None:
    session = state(roles=roles, preset=state().preset.model_copy(update=preset))
    kind = "ingress" if way.startswith("ingress") else "standard"
    encoder = connection("PA_1", VIEWER, identity=f"{VIEWER}:{way}", kind=kind)
    drift = permission_drift(session, encoder, Permissions(can_publish=True))
    assert (drift.kind if drift else None) is (None if stays else Kind.REVOKED)
    banned = session.model_copy(update={"banned": {VIEWER: T0}})
    drift = permission_drift(banned, encoder, Permissions(can_publish=True))
    assert drift is not None
    assert drift.kind is Kind.BANNED


@pytest.mark.parametrize(("role", "stays"), [(None, False), (Role.MODERATOR, True), (Role.CO_HOST, True)])
def test_a_monitor_stays_while_its_person_moderates(role: Role | None, stays: bool) -> None:
    session = state(roles={VIEWER: role} if role else {})
    monitor = connection("PA_1", VIEWER, hidden=True)
    drift = permission_drift(session, monitor, Permissions(hidden=True))
    assert (drift.kind if drift else None) is (None if stays else Kind.REVOKED)


@pytest.mark.parametrize("identity", [f"{VIEWER}:tab", f"{VIEWER}:tab:a monitor's"])
@pytest.mark.parametrize(
    ("revoked", "at", "ends", "goes"),
    [
        (VIEWER, 1, {}, True),
        (VIEWER, -1, {}, False),
        ("tab", -1, {"sign_in": True}, True),
        (KEY, 1, {}, True),
        (KEY, -1, {}, False),
        (KEY, -1, {"for_good": True}, True),
        ("another", 1, {"for_good": True}, False),
    ],
)
def test_who_lost_what_they_came_in_by_has_to_go(
    identity: str, revoked: str, at: int, ends: dict[str, bool], goes: bool
) -> None:
    """A person's revocation, or a key's lost scope, covers what was issued before; others end for good."""
    clock = FakeClock(T0)
    revocations = Revocations(clock)
    revoked_at, until = T0 + timedelta(seconds=at), T0 + timedelta(days=1)
    revocations.add([Revoked(id=revoked, at=revoked_at, until=until, **ends)])
    one = connection("PA_1", VIEWER, joined=5, identity=identity, issued_at=T0)
    one = one.model_copy(update={"key_id": KEY})
    observed = permissions(state(), Role.AUDIENCE)
    drift = permission_drift(state(), one, observed, revoked_by(revocations))
    assert (drift.kind if drift else None) is (Kind.REVOKED if goes else None)
    recorder = one.model_copy(update={"recorder": True})
    assert permission_drift(state(), recorder, observed, revoked_by(revocations)) is None


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


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("guest", [True, False])
def test_guests_have_to_go_where_registered_people_alone_are_admitted(closed: bool, guest: bool) -> None:
    session = state(registered_only=closed)
    one = connection("PA_1", is_guest=guest)
    drift = permission_drift(session, one, permissions(session, Role.AUDIENCE))
    assert (drift is not None) == (closed and guest)


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
