"""Bringing people on stage and taking them off, and what becomes of places whose people are gone."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.session.sessions.domain.stage import GRACE
from services.session.stage.seats.schemas import AddToStageRequest, UpdateStagePermissionsRequest
from shared.access.identity import Caller
from shared.contracts.attendance_events import ParticipantLeaveRequested
from shared.contracts.reconciler_events import (
    REMOVED_FROM_ROOM,
    DriftRepaired,
    RosterConnection,
    RosterObserved,
)
from shared.contracts.states import Role
from shared.errors import Conflict, Forbidden, NotFound
from shared.ids import new_id
from tests.unit.session.actors import Host, connection, left
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller, user
from tests.unit.session.stage.fixtures import Stage, stage


async def test_a_guest_is_brought_on_stage_who_did_not_ask(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    await at.connect(guest)
    await at.add(guest, can_publish_audio=False)
    shown = await backend.stage.show(at.id, guest)
    (one,) = shown.participants
    assert (one.participant_identity, one.participant_name, shown.total) == (guest.user_id, "Vera", 1)
    assert (one.can_publish_audio, one.can_publish_video, one.left_stage_at) == (False, True, None)
    await at.add(guest, can_publish_audio=True, participant_name="Somebody else")
    (again,) = (await backend.stage.show(at.id, guest)).participants
    assert (again.id, again.can_publish_audio, again.participant_name) == (one.id, True, "Vera")


async def test_nobody_is_brought_from_elsewhere(backend: Backend, host: Host) -> None:
    at = await stage(host)
    colleague, stranger = user(organization_id=host.library.organization_id), user(organization_id=new_id())
    gone = user(organization_id=host.library.organization_id, is_active=False)
    for one in (colleague, stranger, gone):
        await backend.users.add(one, one.registered())
    for unknown in (stranger.id, gone.id, new_id(), "nobody"):
        with pytest.raises(NotFound) as refusal:
            await backend.stage.add(at.id, host.caller, AddToStageRequest(participant_identity=unknown))
        assert refusal.value.code == "participant_not_found"
    await at.add(caller(colleague.id))
    await at.raise_hand(caller(stranger.id, stranger.organization_id))
    await at.add(caller(stranger.id))
    assert await at.guests() == {colleague.id, stranger.id}


async def test_a_viewer_is_brought_before_they_are_connected(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    await at.add(guest)
    assert await at.guests() == {guest.user_id}


async def test_a_moderator_manages_the_stage_where_the_preset_says_so(backend: Backend, host: Host) -> None:
    for allowed in (True, False):
        at = await stage(host, moderator_manage_stage=allowed)
        moderator, guest = await at.moderator(), await at.guest()
        waiting = await at.raise_hand(guest)
        if allowed:
            await at.approve(waiting, by=moderator)
            await backend.stage.remove(at.id, moderator, guest.user_id)
        else:
            with pytest.raises(Forbidden) as refusal:
                await at.approve(waiting, by=moderator)
            assert refusal.value.code == "not_permitted"
        assert await at.guests() == set()


async def test_mute_and_unmute(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.seated()

    async def patch(**fields: bool | None) -> tuple[bool, bool]:
        body = UpdateStagePermissionsRequest(**fields)
        after = await backend.stage.set_permissions(at.id, host.caller, guest.user_id, body)
        return after.can_publish_audio, after.can_publish_video

    assert await patch(can_publish_audio=False) == (False, True)
    assert await patch(can_publish_video=False) == (False, False)
    assert await patch(can_publish_audio=None) == (True, False)
    assert await patch() == (True, False)
    with pytest.raises(NotFound):
        await backend.stage.set_permissions(at.id, host.caller, new_id(), UpdateStagePermissionsRequest())


async def test_leaving_and_removing_again_change_nothing(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest, other = await at.seated(), await at.seated()
    await backend.stage.leave(at.id, guest)
    assert await at.guests() == {other.user_id}
    await backend.stage.remove(at.id, host.caller, other.user_id.upper())
    version = (await at.session()).version
    await backend.stage.leave(at.id, guest)
    await backend.stage.remove(at.id, host.caller, other.user_id)
    assert ((await at.session()).version, await at.guests()) == (version, set())


async def test_a_token_for_the_stage_is_for_who_is_on_it(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest, viewer = await at.seated(), await at.guest()
    for person in (guest, host.caller):
        assert (await backend.stage.token(at.id, person)).room_name == at.id
    with pytest.raises(Forbidden) as refusal:
        await backend.stage.token(at.id, viewer)
    assert refusal.value.code == "not_on_stage"
    await host.end(await at.session())
    with pytest.raises(Conflict):
        await backend.stage.token(at.id, host.caller)


async def test_who_may_not_see_participants_does_not_see_the_stage(backend: Backend, host: Host) -> None:
    at = await stage(host, audience_can_see_participants=False)
    with pytest.raises(Forbidden):
        await backend.stage.show(at.id, await at.guest())
    assert (await backend.stage.show(at.id, host.caller)).total == 0


async def go(at: Stage, guest: Caller) -> None:
    """The guest's connection ends, and LiveKit tells of it."""
    at.backend.livekit.disconnect(at.id, guest.identity)
    identity = {"user_id": guest.user_id, "identity": guest.identity, "role": Role.AUDIENCE}
    await at.backend.publish(left(at.backend, await at.session(), f"PA_{guest.sign_in_id}", **identity))


async def test_who_comes_back_in_time_keeps_the_place(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.seated()
    for _ in range(2):
        await at.connect(guest)
        backend.clock.advance(seconds=GRACE.seconds)
        await backend.absence.apply_due_timeouts()
        await go(at, guest)
        backend.clock.advance(seconds=GRACE.seconds - 1)
        await backend.absence.apply_due_timeouts()
        assert await at.guests() == {guest.user_id}
    backend.clock.advance(seconds=1)
    await backend.absence.apply_due_timeouts()
    assert await at.guests() == set()
    assert "session.updated.v1" in backend.published()


async def test_a_second_device_keeps_the_place(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.seated()
    second = caller(guest.user_id, None)
    for device in (guest, second):
        await at.connect(device)
    await go(at, guest)
    backend.clock.advance(seconds=GRACE.seconds)
    await backend.absence.apply_due_timeouts()
    assert await at.guests() == {guest.user_id}
    goodbye = {"session_id": at.id, "user_id": guest.user_id, "requested_at": backend.clock.now()}
    await at.connect(guest)
    await backend.publish(ParticipantLeaveRequested(identity=guest.identity, **goodbye))
    assert await at.guests() == {guest.user_id}
    await backend.publish(ParticipantLeaveRequested(identity=second.identity, **goodbye))
    assert await at.guests() == set()


async def test_the_audiences_going_is_not_written(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest, viewer = await at.seated(), await at.guest()
    for person in (guest, viewer):
        await at.connect(person)
    before = (await at.session()).version
    await go(at, viewer)
    assert (await at.session()).version == before


def roster(at: Stage, there: Sequence[RosterConnection]) -> RosterObserved:
    now = at.backend.clock.now()
    return RosterObserved(
        session_id=at.id, room_sid="RM_1", observed_at=now, connections=tuple(there), departed=()
    )


async def test_a_leaving_that_nobody_told_of_is_seen_by_the_roster(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest, other = await at.seated(), await at.seated()
    for person in (guest, other):
        await at.connect(person)
    backend.clock.advance(seconds=GRACE.seconds)
    await backend.absence.apply_due_timeouts()
    backend.livekit.disconnect(at.id, guest.identity)
    session = await at.session()
    there = connection(backend, session, "PA_2", user_id=other.user_id, identity=other.identity)
    await backend.publish(roster(at, [RosterConnection(**there.model_dump())]))
    backend.clock.advance(seconds=GRACE.seconds)
    await backend.absence.apply_due_timeouts()
    assert await at.guests() == {other.user_id}


def removed(at: Stage, guest: Caller, kind: str, action: str, seconds: float = 0) -> DriftRepaired:
    return DriftRepaired(
        session_id=at.id,
        drift_id=new_id(),
        repaired_at=at.backend.clock.now() + timedelta(seconds=seconds),
        kind=kind,
        participant_sid="PA_1",
        identity=guest.identity,
        user_id=guest.user_id,
        username="Vera",
        believed="publishes camera",
        observed="publishes audio as camera",
        action=action,
    )


@pytest.mark.parametrize(
    ("kind", "action", "seconds", "stays"),
    [
        ("track", REMOVED_FROM_ROOM, 1, False),
        ("track", "tracks ended", 1, True),
        ("permission", REMOVED_FROM_ROOM, 1, True),
        ("track", REMOVED_FROM_ROOM, -1, True),
    ],
)
async def test_who_was_removed_for_false_tracks_loses_the_place_they_had_then(
    backend: Backend, host: Host, kind: str, action: str, seconds: float, *, stays: bool
) -> None:
    at = await stage(host)
    guest = await at.guest()
    await at.add(guest)
    await backend.absence.removed(removed(at, guest, kind, action, seconds))
    assert (guest.user_id in await at.guests()) is stays
