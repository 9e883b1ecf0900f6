"""Every role and every flag: what somebody loses when a flag goes off, in the API and in their join token.

The table is written by hand, so that a flag that loses its effect, or gets another, fails here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_args

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.documents.permissions import FLAGS, OF_THE_SESSION, PERMISSIONS, ROLE_COLUMNS, RoleColumn, granted
from services.session.sessions.domain.session import Session
from shared.access.permissions import RolePermissions, join_grant
from shared.access.session_access import Permission, require
from shared.contracts.states import PresetSettings, Role, StageSeat
from shared.errors import Forbidden, NotFound
from shared.ids import new_id
from shared.livekit import TokenMint
from tests.fakes.fake_clock import FakeClock
from tests.unit.session.builders import HOST, caller, preset_state, session

T0 = datetime(2030, 1, 1, 12, tzinfo=UTC)
ANNA = new_id()
STAFF, CO_HOST, MODERATOR, SEATED_MODERATOR, GUEST, AUDIENCE = (column.title for column in ROLE_COLUMNS)
HOSTS, MODERATORS = (STAFF, CO_HOST), (MODERATOR, SEATED_MODERATOR)
SEATED, OTHERS = (SEATED_MODERATOR, GUEST), (MODERATOR, SEATED_MODERATOR, GUEST, AUDIENCE)
EVERYBODY = (*HOSTS, *OTHERS)
SCREEN = ("publish screen_share", "publish screen_share_audio")
PICTURE = ("publish camera", *SCREEN)

# Who loses what when the flag goes off and all others are on.
LOST: Mapping[str, Mapping[tuple[str, ...], tuple[str, ...]]] = {
    "stage_enabled": {
        SEATED: (*PICTURE, "publish microphone"),
        (MODERATOR, AUDIENCE): ("stage_request",),
    },
    "chat_enabled": {EVERYBODY: ("chat_send_text", "chat_send_file")},
    "poll_enabled": {EVERYBODY: ("poll_create", "poll_vote")},
    "viewer_count_visible": {(GUEST, AUDIENCE): ("see_viewer_count",)},
    "host_add_co_host": {(STAFF,): ("add_co_host",), (CO_HOST,): ("add_co_host", "control")},
    "host_camera_enabled": {HOSTS: ("publish camera",)},
    "host_screen_share": {HOSTS: SCREEN},
    "host_chat_send_text": {HOSTS: ("chat_send_text",)},
    "host_chat_send_file": {HOSTS: ("chat_send_file",)},
    "host_chat_receive_message": {HOSTS: ("chat_receive",)},
    "host_poll_create": {HOSTS: ("poll_create",)},
    "host_poll_vote": {HOSTS: ("poll_vote",)},
    "host_poll_view": {HOSTS: ("poll_view",)},
    "onstage_camera_enabled": {SEATED: ("publish camera",)},
    "onstage_screen_share": {SEATED: SCREEN},
    "onstage_viewer_view": {(GUEST,): ("see_viewers",)},
    "audience_stage_join_request": {(MODERATOR, AUDIENCE): ("stage_request",)},
    "audience_can_see_participants": {
        (GUEST,): ("see_participants",),
        (AUDIENCE,): ("see_participants", "see_viewers"),
    },
    "audience_chat_send_text": {OTHERS: ("chat_send_text",)},
    "audience_chat_send_file": {OTHERS: ("chat_send_file",)},
    "audience_chat_receive_message": {(GUEST, AUDIENCE): ("chat_receive",)},
    "audience_poll_create": {(GUEST, AUDIENCE): ("poll_create",)},
    "audience_poll_vote": {OTHERS: ("poll_vote",)},
    "audience_poll_view": {(GUEST, AUDIENCE): ("poll_view",)},
    "moderator_manage_stage": {MODERATORS: ("stage_manage",)},
    "moderator_manage_chat": {MODERATORS: ("chat_manage",)},
    "moderator_manage_poll": {MODERATORS: ("poll_manage",)},
    "recording_enabled": {},
}
# The same where the audience has no rights: then a moderator's come from what they manage.
LOST_BY_MODERATORS = {
    "moderator_manage_chat": {"chat_manage", "chat_receive"},
    "moderator_manage_poll": {"poll_manage", "poll_create", "poll_view"},
}
PAIRS = [pytest.param(column, flag, id=f"{column.title}-{flag}") for column in ROLE_COLUMNS for flag in FLAGS]


def lost(column: RoleColumn, flag: str) -> set[str]:
    """By the table."""
    return {name for who, what in LOST[flag].items() if column.title in who for name in what}


def all_on_but(*off: str) -> PresetSettings:
    flags = dict.fromkeys(FLAGS, True) | dict.fromkeys(off, False)
    return preset_state(**flags).settings


def in_session(column: RoleColumn, preset: PresetSettings) -> tuple[Session, str]:
    """A session with one who takes part, and their user id."""
    seat = {ANNA: StageSeat(id=new_id(), name="Anna", joined_stage_at=T0)} if column.seated else {}
    roles = {ANNA: column.role} if column.role in {Role.CO_HOST, Role.MODERATOR} else {}
    made = session(roles=roles, stage=seat, preset=preset_state(**preset.model_dump()))
    return made, HOST if column.role is Role.HOST else ANNA


def allowed(column: RoleColumn, preset: PresetSettings) -> set[str]:
    """What the API lets them do: each permission is asked for as an operation does."""
    made, user_id = in_session(column, preset)
    return {name for name in get_args(Permission) if _let(made, user_id, name)}


def _let(made: Session, user_id: str, permission: Permission) -> bool:
    try:
        require(made, made.preset.settings, caller(user_id), None, permission)
    except (Forbidden, NotFound):
        return False
    return True


def in_token(column: RoleColumn, preset: PresetSettings) -> set[str]:
    """What their join token lets them publish."""
    made, user_id = in_session(column, preset)
    may = require(made, preset, caller(user_id), None)
    grant = join_grant(room=made.id, identity=f"{user_id}:tab", name="A", role=column.role, permissions=may)
    mint = TokenMint("key", "a secret of at least thirty-two bytes", FakeClock(T0))
    token = mint.join_token(grant, lifetime=T0 - T0.replace(hour=11))
    video = jwt.decode(token, options={"verify_signature": False})["video"]
    assert video["canPublish"] == bool(video.get("canPublishSources"))
    assert (video["canPublishData"], video["hidden"], video["canSubscribe"]) == (False, False, True)
    return {f"publish {source}" for source in video.get("canPublishSources", [])}


def test_every_flag_is_in_the_table() -> None:
    assert LOST.keys() == set(FLAGS)
    assert {flag for flag, effect in LOST.items() if not effect} == OF_THE_SESSION


def test_every_permission_is_somebody_s_by_a_flag_or_always() -> None:
    by_flag = {name for effects in LOST.values() for names in effects.values() for name in names}
    assert PERMISSIONS.keys() - by_flag == {"moderate"}


@pytest.mark.parametrize(("column", "flag"), PAIRS)
def test_a_flag_takes_what_the_table_says_and_nothing_else(column: RoleColumn, flag: str) -> None:
    on, off = all_on_but(), all_on_but(flag)
    gone = lost(column, flag)
    assert allowed(column, on) - allowed(column, off) == {name for name in gone if " " not in name}
    assert in_token(column, on) - in_token(column, off) == {name for name in gone if " " in name}
    # Nothing is gained by a flag that goes off.
    assert allowed(column, off) <= allowed(column, on)
    assert in_token(column, off) <= in_token(column, on)


@pytest.mark.parametrize("flag", LOST_BY_MODERATORS)
def test_who_manages_does_not_need_the_audience_s_rights(flag: str) -> None:
    column = next(column for column in ROLE_COLUMNS if column.title == MODERATOR)
    audience = [name for name in FLAGS if name.startswith("audience_")]
    with_it, without = all_on_but(*audience), all_on_but(*audience, flag)
    assert allowed(column, with_it) - allowed(column, without) == LOST_BY_MODERATORS[flag]


@given(st.frozensets(st.sampled_from(FLAGS)), st.sampled_from(FLAGS), st.sampled_from(ROLE_COLUMNS))
def test_a_flag_never_takes_by_going_on(on: frozenset[str], flag: str, column: RoleColumn) -> None:
    def names(may: RolePermissions) -> set[str]:
        return {name for name, answer in PERMISSIONS.items() if answer(may)}

    assert names(granted(column, on - {flag})) <= names(granted(column, on | {flag}))
