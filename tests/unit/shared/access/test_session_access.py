"""Who may act in a session, and how the rest are refused."""

import dataclasses
import typing
from collections.abc import Callable

import pytest

from services.session.sessions.domain.people import Ban
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.access.permissions import RolePermissions
from shared.access.session_access import (
    Permission,
    acting_role,
    refuse_outsider,
    require,
    sees_inside,
)
from shared.contracts.states import Role
from shared.errors import AppError, Forbidden, NotFound
from shared.ids import new_id
from tests.unit.session.builders import HOST, LIBRARY, T0, caller, preset_state, session

ANNA = new_id()
VIEWER = caller(ANNA, None)
COLLEAGUE = caller(new_id())
OUTSIDER = caller(new_id(), new_id())
KEY = dataclasses.replace(COLLEAGUE, api_key_id=new_id())
FOREIGN_KEY = dataclasses.replace(OUTSIDER, api_key_id=new_id())
BAN = Ban(id=new_id(), banned_by=HOST, reason=None, banned_at=T0)


def ask(
    session: Session, who: Caller, permission: Permission | None = None, library: str | None = None
) -> RolePermissions:
    return require(session, session.preset.settings, who, library, permission)


def refused(session: Session, who: Caller, permission: Permission | None = None) -> str:
    with pytest.raises((Forbidden, NotFound)) as refusal:
        ask(session, who, permission)
    return refusal.value.code


def test_every_permission_that_is_granted_or_not_may_be_asked_for() -> None:
    granted = {field.name for field in dataclasses.fields(RolePermissions)} - {"publish"}
    assert granted == set(typing.get_args(Permission))


def test_a_key_of_the_organization_acts_as_the_host() -> None:
    assert acting_role(session(), KEY) is Role.HOST
    assert ask(session(), KEY, "control").publish
    assert acting_role(session(), FOREIGN_KEY) is Role.AUDIENCE
    assert refused(session(), FOREIGN_KEY, "control") == "session_not_found"


def test_strangers_are_told_no_more_than_they_may_know() -> None:
    assert refused(session(), VIEWER, "moderate") == "host_required"
    assert refused(session(), COLLEAGUE, "moderate") == "not_the_host"
    assert refused(session(), OUTSIDER, "moderate") == "session_not_found"
    assert refused(session(), OUTSIDER, "poll_create") == "not_permitted"
    assert ask(session(), OUTSIDER, "chat_send_text").chat_receive


@pytest.mark.parametrize("lets", [True, False])
def test_a_co_host_is_in_control_where_the_preset_lets_one(lets: bool) -> None:
    given = session(roles={ANNA: Role.CO_HOST}, preset=preset_state(host_add_co_host=lets))
    assert ask(given, VIEWER, "moderate").control is lets
    if not lets:
        assert refused(given, VIEWER, "control") == "not_permitted"


def test_a_moderator_who_may_not_is_told_so() -> None:
    given = session(roles={ANNA: Role.MODERATOR}, preset=preset_state(moderator_manage_chat=False))
    assert ask(given, VIEWER, "stage_manage").moderate
    assert refused(given, VIEWER, "chat_manage") == "not_permitted"


def test_who_is_banned_may_nothing() -> None:
    given = session(bans={ANNA: BAN, KEY.user_id: BAN})
    for permission in (None, *typing.get_args(Permission)):
        assert refused(given, VIEWER, permission) == "banned"
    # The key is the organization's, whoever made it.
    assert ask(given, KEY, "control").moderate
    assert refused(given, dataclasses.replace(KEY, api_key_id=None)) == "banned"


def test_a_ban_is_of_the_device_too() -> None:
    given = session(bans={new_id(): dataclasses.replace(BAN, device_id="a device")})
    ask(given, VIEWER)
    assert refused(given, dataclasses.replace(VIEWER, device_id="a device")) == "banned"


def test_guests_may_nothing_where_registered_people_alone_are_admitted() -> None:
    guest = dataclasses.replace(VIEWER, is_guest=True)
    closed = session(registered_only=True, roles={ANNA: Role.CO_HOST})
    for permission in (None, *typing.get_args(Permission)):
        assert refused(closed, guest, permission) == "registration_required"
        ask(session(roles={ANNA: Role.CO_HOST}), guest)
    assert ask(closed, VIEWER).chat_receive
    assert not sees_inside(closed, guest)
    assert not sees_inside(closed, None)
    assert sees_inside(closed, VIEWER)
    assert sees_inside(session(), None)
    assert sees_inside(session(), guest)


@pytest.mark.parametrize("permission", [None, *typing.get_args(Permission)])
@pytest.mark.parametrize("who", [VIEWER, OUTSIDER, FOREIGN_KEY], ids=["viewer", "host", "key"])
def test_outsiders_cannot_tell_what_exists(who: Caller, permission: Permission | None) -> None:
    """In another library it is found by nobody; in its own, other organizations find what takes no staff."""
    unknown = refusal_of(lambda: refuse_outsider("poll", who, permission))
    given = session()
    elsewhere = refusal_of(
        lambda: require(given, given.preset.settings, who, new_id(), permission, noun="poll")
    )
    assert elsewhere == unknown
    inside = refusal_of(lambda: require(given, given.preset.settings, who, None, permission, noun="poll"))
    assert inside in {None, unknown, (403, "not_permitted", inside[2] if inside else "")}


def refusal_of(attempt: Callable[[], object]) -> tuple[int, str, str] | None:
    try:
        attempt()
    except AppError as error:
        return error.status, error.code, error.message
    return None


def test_in_another_library_there_is_no_such_session() -> None:
    ask(session(), caller(HOST), "control", LIBRARY)
    with pytest.raises(NotFound):
        ask(session(), caller(HOST), "control", new_id())
