"""Whose permissions are checked, against what, and how a difference is told."""

from dataclasses import replace
from typing import Any

import pytest

from services.egress.drift.domain import Kind
from services.egress.reconciler.permission_drift import expected_permissions_of, permission_drift
from shared.contracts.states import Role
from shared.livekit import Permissions, TrackSource
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
