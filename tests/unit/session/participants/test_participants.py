"""Co-hosts and moderators: who may be made one, by whom, and what is kept of it."""

from datetime import timedelta

import pytest

from services.session.participants.presenter import ParticipantQuery, SessionParticipantResponse
from services.session.sessions.domain.roles import MOST_ASSIGNED, RoleGrant, grant_role, revoke_role
from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import UpdateSessionSettingsRequest
from shared.access.identity import Caller
from shared.contracts.reconciler_events import RosterConnection, RosterObserved
from shared.contracts.session_events import SessionEvent
from shared.contracts.states import EndReason, Role, StageSeat, UserRole
from shared.errors import AppError, Conflict, Forbidden, NotFound
from shared.ids import new_id
from tests.unit.session.actors import (
    Host,
    ban,
    colleague,
    connection,
    joined,
    left,
    new_host,
    registered,
)
from tests.unit.session.actors import grant_role as granted_role
from tests.unit.session.backend import Backend
from tests.unit.session.builders import HOST, T0, live_session, session, user

LATER = T0 + timedelta(minutes=5)


def given(user_id: str, role: Role) -> RoleGrant:
    return RoleGrant(id=new_id(), user_id=user_id, username="Anna", role=role, by=HOST)


async def listed(backend: Backend, session: Session, by: Caller) -> list[SessionParticipantResponse]:
    return (await backend.participants.list(session.id, by, ParticipantQuery())).participants


def test_roles_are_given_and_taken_and_remembered() -> None:
    made = session()
    assert grant_role(made, T0, given("anna", Role.AUDIENCE)) == []
    (event,) = grant_role(made, T0, given("anna", Role.CO_HOST))
    assert isinstance(event, SessionEvent)
    assert event.session.roles == {"anna": Role.CO_HOST}
    assert grant_role(made, LATER, given("anna", Role.CO_HOST)) == []
    grant_role(made, T0, given("berta", Role.MODERATOR))
    revoke_role(made, LATER, "anna", Role.CO_HOST)
    assert made.roles == {"berta": Role.MODERATOR}
    assert event.session.roles == {"anna": Role.CO_HOST}
    assert made.assignments["anna"].removed_at == LATER
    assert made.assignments["berta"].is_active


def test_another_role_takes_the_place_of_the_first() -> None:
    made = session()
    for role in (Role.CO_HOST, Role.MODERATOR):
        grant_role(made, T0, given("anna", role))
    assert (made.roles, made.assignments["anna"].role) == ({"anna": Role.MODERATOR}, Role.MODERATOR)
    with pytest.raises(NotFound):
        revoke_role(made, T0, "anna", Role.CO_HOST)


def test_a_co_host_needs_no_place_on_stage() -> None:
    seat = StageSeat(id=new_id(), name="Anna", joined_stage_at=T0)
    made = session(stage={"anna": seat, "berta": seat})
    grant_role(made, T0, given("anna", Role.CO_HOST))
    grant_role(made, T0, given("berta", Role.MODERATOR))
    assert list(made.stage) == ["berta"]


def test_the_host_is_given_no_other_role() -> None:
    with pytest.raises(Conflict) as refusal:
        grant_role(session(), T0, given(HOST, Role.MODERATOR))
    assert refusal.value.code == "participant_is_host"


def test_there_is_a_most_of_roles() -> None:
    made = session()
    for number in range(MOST_ASSIGNED):
        grant_role(made, T0, given(f"user {number}", Role.MODERATOR))
    with pytest.raises(Conflict):
        grant_role(made, T0, given("one more", Role.MODERATOR))
    grant_role(made, T0, given("user 0", Role.CO_HOST))
    grant_role(made, T0, given("one more", Role.AUDIENCE))


async def test_who_has_a_role_is_listed_with_who_gave_it(backend: Backend, host: Host) -> None:
    made, vera, carl = await host.live_session(), await registered(backend), await colleague(backend, host)
    await granted_role(backend, host, made, vera, Role.MODERATOR)
    await granted_role(backend, host, made, carl, Role.CO_HOST)
    await backend.participants.remove(made.id, host.caller, vera.user_id, Role.MODERATOR)
    first, second = await listed(backend, made, vera)
    assert (first.user_id, first.role, first.is_active) == (vera.user_id, "moderator", False)
    assert first.removed_at == backend.clock.now()
    assert (second.user_id, second.role, second.is_active) == (carl.user_id, "co_host", True)
    assert second.assigned_by == host.user.id
    assert second.assigned_by_user is not None
    # Addresses stay within the organization.
    assert second.assigned_by_user.email is None
    assert (await listed(backend, made, host.caller))[1].assigned_by_user != second.assigned_by_user


async def test_pages_of_the_list(backend: Backend, host: Host) -> None:
    made = await host.session()
    for _ in range(3):
        await granted_role(backend, host, made, await registered(backend), Role.MODERATOR)
    page = await backend.participants.list(made.id, host.caller, ParticipantQuery(page=2, limit=2))
    assert (len(page.participants), page.total) == (1, 3)


async def test_strangers_are_given_no_role(backend: Backend, host: Host) -> None:
    made, other = await host.session(), await new_host(backend)
    nobody = [new_id(), other.user.id]
    for gone in (
        user(role=UserRole.VIEWER, organization_id=None, is_active=False),
        user(role=UserRole.VIEWER, organization_id=other.library.organization_id),
    ):
        await backend.users.add(gone, [])
        nobody.append(gone.id)
    for one in nobody:
        with pytest.raises(NotFound) as refusal:
            await backend.participants.add(made.id, host.caller, one, Role.MODERATOR, new_id())
        assert refusal.value.code == "user_not_found"


async def test_who_may_give_roles(backend: Backend, host: Host) -> None:
    made, carl, vera = await host.live_session(), await colleague(backend, host), await registered(backend)

    async def refused(by: Caller, role: Role) -> AppError:
        with pytest.raises((Forbidden, NotFound)) as refusal:
            await backend.participants.add(made.id, by, vera.user_id, role, new_id())
        return refusal.value

    assert (await refused(carl, Role.MODERATOR)).code == "not_the_host"
    await granted_role(backend, host, made, carl, Role.MODERATOR)
    assert (await refused(carl, Role.MODERATOR)).code == "not_permitted"
    await granted_role(backend, host, made, carl, Role.CO_HOST)
    await backend.participants.add(made.id, carl, vera.user_id, Role.MODERATOR, new_id())
    assert isinstance(await refused((await new_host(backend)).caller, Role.CO_HOST), NotFound)


async def test_a_preset_may_forbid_co_hosts(backend: Backend, host: Host) -> None:
    made = await host.session(preset=(await host.preset(host_add_co_host=False)).id)
    with pytest.raises(Forbidden) as refusal:
        await granted_role(backend, host, made, await colleague(backend, host), Role.CO_HOST)
    assert refusal.value.code == "not_permitted"
    await granted_role(backend, host, made, await registered(backend), Role.MODERATOR)


async def test_a_preset_may_hide_them_from_the_audience(backend: Backend, host: Host) -> None:
    made = await host.session(preset=(await host.preset(audience_can_see_participants=False)).id)
    vera = await registered(backend)
    with pytest.raises(Forbidden):
        await listed(backend, made, vera)
    await granted_role(backend, host, made, vera, Role.MODERATOR)
    assert len(await listed(backend, made, vera)) == 1


@pytest.mark.parametrize("managed", ["chat", "stage"])
async def test_a_moderator_switches_what_they_manage(backend: Backend, host: Host, managed: str) -> None:
    flags = {f"moderator_manage_{what}": what == managed for what in ("chat", "stage")}
    made, mia = await host.session(preset=(await host.preset(**flags)).id), await registered(backend)
    await granted_role(backend, host, made, mia, Role.MODERATOR)
    for fields, what in (
        ({"chat_enabled": False}, "chat"),
        ({"stage_enabled": False}, "stage"),
        ({"max_join_limit": 3}, "stage"),
    ):
        body = UpdateSessionSettingsRequest.model_validate(fields)
        if what == managed:
            await backend.session_service.configure(made.id, mia, body)
        else:
            with pytest.raises(Forbidden):
                await backend.session_service.configure(made.id, mia, body)
        await backend.session_service.configure(made.id, host.caller, body)


async def test_who_is_banned_is_given_no_role(backend: Backend, host: Host) -> None:
    made, vera = await host.live_session(), await registered(backend)
    await ban(backend, host, made, vera)
    with pytest.raises(Conflict) as refusal:
        await granted_role(backend, host, made, vera, Role.MODERATOR)
    assert refusal.value.code == "participant_banned"


async def test_it_is_known_when_they_were_there(backend: Backend, host: Host) -> None:
    made, vera = await host.live_session(), await registered(backend)
    await granted_role(backend, host, made, vera, Role.MODERATOR)
    (shown,) = await listed(backend, made, vera)
    assert (shown.joined_at, shown.left_at) == (None, None)
    theirs = {"user_id": vera.user_id, "identity": vera.identity, "role": Role.MODERATOR}
    came = backend.clock.now()
    first = joined(backend, made, "PA_first", **theirs)
    backend.clock.advance(seconds=10)
    await backend.publish(first, joined(backend, made, "PA_second", **theirs))
    backend.clock.advance(seconds=10)
    await backend.publish(left(backend, made, "PA_first", **theirs))
    (shown,) = await listed(backend, made, vera)
    assert (shown.joined_at, shown.left_at) == (came, None)
    await backend.publish(left(backend, made, "PA_second", **theirs))
    assert (await listed(backend, made, vera))[0].left_at == backend.clock.now()
    # A moderator is no host who keeps the session going.
    assert (await backend.sessions.get(made.id)).hosts == {}


async def test_who_was_there_before_is_seen_on_the_roster(backend: Backend, host: Host) -> None:
    made, vera = await host.live_session(), await registered(backend)
    there = connection(
        backend, made, "PA_1", user_id=vera.user_id, identity=vera.identity, role=Role.AUDIENCE
    )
    await granted_role(backend, host, made, vera, Role.CO_HOST)
    backend.clock.advance(seconds=5)
    roster = RosterObserved(
        session_id=made.id,
        version=1,
        room_sid="RM_1",
        observed_at=backend.clock.now(),
        connections=(RosterConnection(**there.model_dump(), active=True),),
        departed=(),
    )
    await backend.publish(roster)
    assert (await listed(backend, made, vera))[0].joined_at == there.joined_at


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.AUDIENCE])
def test_nobody_is_given_a_role_in_what_is_over(role: Role) -> None:
    made = live_session()
    made.end(LATER, EndReason.HOST)
    with pytest.raises(Conflict):
        grant_role(made, LATER, given("anna", role))
