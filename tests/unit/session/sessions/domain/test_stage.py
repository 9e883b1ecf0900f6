"""Places on stage: who gets one, how many there are, and what changes them."""

from datetime import timedelta
from typing import Any

import pytest

from services.session.sessions.domain.people import Ban
from services.session.sessions.domain.roles import grant_role
from services.session.sessions.domain.session import Session
from services.session.sessions.domain.stage import (
    GRACE,
    MOST_RESERVED,
    free_absent_seats,
    free_seat,
    leave_seat,
    mark_absent,
    mark_left,
    release_seat,
    reserve_seat,
    set_permissions,
    take_seat,
)
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import EndReason, Role, StageSeat
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from tests.unit.session.builders import T0, live_session, preset_state, session
from tests.unit.session.stage.fixtures import role_grant

LATER = T0 + timedelta(minutes=5)
ANNA, BERTA, CARLA = "anna", "berta", "carla"


def place(**given: Any) -> StageSeat:
    return StageSeat(**{"id": new_id(), "name": "Somebody", "joined_stage_at": T0} | given)


def stage_of(*guests: str, limit: int = 3, **given: Any) -> Session:
    """A live session with these guests on stage."""
    made = live_session(preset=preset_state(max_join_limit=limit), **given)
    for guest in guests:
        take_seat(made, T0, guest, place())
    return made


def test_a_place_is_given_and_told_with_the_session() -> None:
    made, given = stage_of(), place()
    (event,) = take_seat(made, LATER, ANNA, given)
    assert isinstance(event, SessionUpdated)
    assert event.session.stage == {ANNA: given}
    assert (made.updated_at, made.stage_checks, made.stage_due_at) == (
        LATER,
        {ANNA: LATER + GRACE},
        LATER + GRACE,
    )


def test_who_is_on_stage_keeps_the_place_they_have() -> None:
    made, first = stage_of(limit=1), place()
    take_seat(made, T0, ANNA, first)
    assert take_seat(made, LATER, ANNA, place()) == []
    assert made.stage == {ANNA: first}


def test_there_are_as_many_places_as_the_limit_says() -> None:
    made = stage_of(ANNA, BERTA, limit=2)
    with pytest.raises(Conflict) as refusal:
        take_seat(made, T0, CARLA, place())
    assert refusal.value.code == "stage_full"
    free_seat(made, T0, ANNA)
    take_seat(made, T0, CARLA, place())
    assert made.stage.keys() == {BERTA, CARLA}


def test_a_lower_limit_removes_nobody() -> None:
    made = stage_of(ANNA, BERTA)
    made.configure(T0, {"max_join_limit": 1})
    assert made.stage.keys() == {ANNA, BERTA}
    free_seat(made, T0, BERTA)
    with pytest.raises(Conflict):
        take_seat(made, T0, CARLA, place())


def test_hosts_and_co_hosts_need_no_place() -> None:
    made = stage_of(roles={ANNA: Role.CO_HOST, BERTA: Role.MODERATOR})
    for staff in (made.host_id, ANNA):
        with pytest.raises(Conflict) as refusal:
            take_seat(made, T0, staff, place())
        assert refusal.value.code == "needs_no_seat"
    take_seat(made, T0, BERTA, place())
    assert made.stage.keys() == {BERTA}


def test_a_guest_who_becomes_a_co_host_frees_their_place() -> None:
    made = stage_of(ANNA, BERTA)
    grant_role(made, T0, role_grant(BERTA, Role.MODERATOR))
    assert made.stage.keys() == {ANNA, BERTA}
    (event,) = grant_role(made, T0, role_grant(ANNA, Role.CO_HOST))
    assert isinstance(event, SessionUpdated)
    assert event.session.stage.keys() == made.stage.keys() == {BERTA}


def test_who_is_banned_gets_no_place() -> None:
    made = stage_of(bans={ANNA: Ban(id=new_id(), banned_by="the host", reason=None, banned_at=T0)})
    with pytest.raises(Conflict) as refusal:
        take_seat(made, T0, ANNA, place())
    assert refusal.value.code == "banned"


def test_a_stage_that_is_switched_off_lets_nobody_on_and_keeps_who_is_there() -> None:
    made = stage_of(ANNA)
    made.configure(T0, {"stage_enabled": False})
    with pytest.raises(Conflict) as refusal:
        take_seat(made, T0, BERTA, place())
    assert refusal.value.code == "stage_disabled"
    assert made.stage.keys() == {ANNA}


def test_only_a_live_session_has_a_stage() -> None:
    with pytest.raises(Conflict) as refusal:
        take_seat(session(), T0, ANNA, place())
    assert refusal.value.code == "session_not_live"
    made = stage_of(ANNA)
    made.end(LATER, EndReason.HOST)
    assert (made.stage, made.stage_checks, made.stage_due_at) == ({}, {}, None)


def test_who_is_not_there_is_not_taken_off() -> None:
    made = stage_of(ANNA)
    assert free_seat(made, LATER, BERTA) == []
    assert made.updated_at == T0


def test_a_request_takes_back_its_own_place_only() -> None:
    made = stage_of()
    take_seat(made, T0, ANNA, place(request_id="a request"))
    assert free_seat(made, T0, ANNA, request_id="another") == []
    assert len(free_seat(made, T0, ANNA, request_id="a request")) == 1
    assert made.stage == {}


def test_permissions_change_one_by_one_and_tell_nothing_twice() -> None:
    made = stage_of(ANNA)
    (event,) = set_permissions(made, LATER, ANNA, audio=False, video=None)
    assert isinstance(event, SessionUpdated)
    held = event.session.stage[ANNA]
    assert (held.can_publish_audio, held.can_publish_video) == (False, True)
    assert set_permissions(made, LATER, ANNA, audio=False, video=None) == []
    set_permissions(made, LATER, ANNA, audio=True, video=False)
    assert (made.stage[ANNA].can_publish_audio, made.stage[ANNA].can_publish_video) == (True, False)
    with pytest.raises(NotFound):
        set_permissions(made, LATER, BERTA, audio=False, video=None)


def test_a_place_is_kept_for_the_grace_and_no_longer() -> None:
    made = stage_of(ANNA)
    assert free_absent_seats(made, T0 + GRACE - timedelta(milliseconds=1), set()) == []
    (event,) = free_absent_seats(made, T0 + GRACE, set())
    assert isinstance(event, SessionUpdated)
    assert (event.session.stage, made.stage_due_at) == ({}, None)


def test_who_is_there_stays_and_is_not_looked_at_again() -> None:
    made = stage_of(ANNA, BERTA)
    assert len(free_absent_seats(made, T0 + GRACE, {ANNA, "a viewer"})) == 1
    assert made.stage.keys() == {ANNA}
    assert (made.stage_checks, made.stage_due_at) == ({}, None)
    assert free_absent_seats(made, LATER, set()) == []


def test_the_grace_begins_with_the_last_leaving() -> None:
    made = stage_of(ANNA)
    free_absent_seats(made, T0 + GRACE, {ANNA})
    assert mark_left(made, "a viewer", LATER) == []
    assert made.stage_due_at is None
    mark_left(made, ANNA, LATER)
    mark_left(made, ANNA, LATER - timedelta(seconds=30))
    assert made.stage_due_at == LATER + GRACE
    assert free_absent_seats(made, LATER + GRACE, {ANNA}) == []
    assert made.stage.keys() == {ANNA}


def test_a_leaving_that_nobody_told_of_counts_from_when_it_was_seen() -> None:
    made = stage_of(ANNA, BERTA)
    free_absent_seats(made, T0 + GRACE, {ANNA, BERTA})
    assert mark_absent(made, LATER, {BERTA}) == []
    assert made.stage_checks == {ANNA: LATER + GRACE}
    mark_absent(made, LATER + GRACE / 2, {BERTA})
    assert made.stage_due_at == LATER + GRACE


def reserved(**given: Any) -> StageSeat:
    return place(reserved=True, **given)


def test_a_reserved_place_takes_none_of_the_others() -> None:
    made = stage_of(limit=1)
    assert reserve_seat(made, BERTA, reserved())
    take_seat(made, T0, ANNA, place())
    assert made.stage.keys() == {ANNA, BERTA}
    with pytest.raises(Conflict):
        take_seat(made, T0, CARLA, place())


def test_a_reserved_place_waits_for_its_guest() -> None:
    made = stage_of(ANNA)
    reserve_seat(made, BERTA, reserved())
    for guest in (ANNA, BERTA):
        mark_left(made, guest, T0)
    mark_absent(made, T0, set())
    free_absent_seats(made, LATER, set())
    assert made.stage.keys() == {BERTA}
    assert leave_seat(made, LATER, BERTA) == []
    assert made.stage.keys() == {BERTA}


def test_a_place_that_becomes_reserved_waits_from_then_on() -> None:
    made = stage_of(ANNA)
    mark_left(made, ANNA, T0)
    assert reserve_seat(made, ANNA, reserved(can_publish_audio=False))
    free_absent_seats(made, LATER, set())
    assert (made.stage[ANNA].reserved, made.stage[ANNA].can_publish_audio) == (True, False)
    assert not reserve_seat(made, ANNA, reserved(can_publish_audio=False))


def test_only_a_reserved_place_is_given_up_with_the_token() -> None:
    made = stage_of(ANNA)
    reserve_seat(made, BERTA, reserved())
    assert (release_seat(made, ANNA), release_seat(made, BERTA), release_seat(made, CARLA)) == (
        False,
        True,
        False,
    )
    assert made.stage.keys() == {ANNA}


def test_not_any_number_of_places_is_reserved() -> None:
    made = stage_of()
    made.stage = {f"guest-{number}": reserved() for number in range(MOST_RESERVED)}
    with pytest.raises(Conflict) as refusal:
        reserve_seat(made, ANNA, reserved())
    assert refusal.value.code == "stage_full"
    reserve_seat(made, "guest-0", reserved(can_publish_video=False))
