"""A session's life: what it allows in which state, and what it tells."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.session.sessions.domain.lifecycle import apply_timeouts, host_joined, host_left
from services.session.sessions.domain.session import Session
from shared.access.permissions import switches_of
from shared.contracts.session_events import (
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)
from shared.contracts.states import EndReason, SessionMode, SessionStatus
from shared.errors import Conflict
from tests.unit.session.builders import GRACE, LIMITS, T0, live_session, preset_state, session

LATER = T0 + timedelta(minutes=5)
Make = Callable[[], Session]


def switched(session: Session) -> tuple[bool, bool]:
    """Whether chat and stage are on."""
    switches = switches_of(session, session.preset.settings)
    return switches.chat, switches.stage


def ended_session() -> Session:
    made = live_session()
    made.end(LATER, EndReason.HOST)
    return made


def expired_session() -> Session:
    made = session(due_at=T0)
    apply_timeouts(made, T0, LIMITS)
    return made


def test_a_session_starts_with_the_preset_of_the_moment() -> None:
    made, newest = session(), preset_state(version=3, name="Newest")
    (event,) = made.start(T0, newest, LIMITS)
    assert isinstance(event, SessionStarted)
    assert event.session == made.state()
    assert (made.status, made.started_at, made.updated_at) == (SessionStatus.LIVE, T0, T0)
    assert (made.preset, made.live_room_id) == (newest, made.room_id)


def test_starting_again_changes_nothing() -> None:
    made = live_session()
    before = made.state()
    assert made.start(LATER, preset_state(version=9), LIMITS) == []
    assert made.state() == before


@pytest.mark.parametrize(("make", "code"), [(ended_session, "ended"), (expired_session, "expired")])
def test_what_is_over_does_not_start(make: Make, code: str) -> None:
    made = make()
    with pytest.raises(Conflict) as refusal:
        made.start(LATER, made.preset, LIMITS)
    assert refusal.value.code == f"session_{code}"


def test_an_end_is_told_once() -> None:
    made = live_session()
    made.viewer_count, made.max_viewers = 3, 5
    (event,) = made.end(T0 + timedelta(seconds=90, milliseconds=999), EndReason.NO_HOST)
    assert isinstance(event, SessionEnded)
    assert (event.session.end_reason, event.session.status) == (EndReason.NO_HOST, SessionStatus.ENDED)
    assert (made.duration, made.live_room_id, made.due_at) == (90, None, None)
    assert (made.viewer_count, made.max_viewers) == (0, 5)
    assert made.end(LATER, EndReason.HOST) == []
    assert made.end_reason is EndReason.NO_HOST


@pytest.mark.parametrize("make", [session, expired_session])
def test_what_is_not_live_does_not_end(make: Make) -> None:
    with pytest.raises(Conflict) as refusal:
        make().end(LATER, EndReason.HOST)
    assert refusal.value.code == "session_not_live"


def test_a_scheduled_session_is_rescheduled() -> None:
    made = session()
    (event,) = made.reschedule(LATER, T0 + timedelta(days=7), LIMITS)
    assert isinstance(event, SessionUpdated)
    assert made.due_at == T0 + timedelta(days=8)
    assert apply_timeouts(made, T0 + timedelta(days=7), LIMITS) == []
    assert [type(event) for event in apply_timeouts(made, T0 + timedelta(days=8), LIMITS)] == [SessionExpired]


@pytest.mark.parametrize("make", [live_session, ended_session, expired_session])
def test_no_other_session_is_rescheduled(make: Make) -> None:
    with pytest.raises(Conflict) as refusal:
        make().reschedule(LATER, LATER, LIMITS)
    assert refusal.value.code == "session_not_scheduled"


def test_overrides_win_over_the_preset_until_they_are_cleared() -> None:
    made = session(preset=preset_state(chat_enabled=True, stage_enabled=False, max_join_limit=8))
    made.configure(T0, {"chat_enabled": False, "stage_enabled": True, "max_join_limit": 2})
    effective = (*switched(made), made.effective_max_join_limit)
    assert effective == (False, True, 2)
    made.configure(T0, {"chat_enabled": None, "stage_enabled": None, "max_join_limit": None})
    effective = (*switched(made), made.effective_max_join_limit)
    assert effective == (True, False, 8)


@pytest.mark.parametrize("make", [ended_session, expired_session])
def test_what_is_over_is_not_configured(make: Make) -> None:
    with pytest.raises(Conflict):
        make().configure(LATER, {"chat_enabled": True})


def test_a_preset_is_followed_while_scheduled_and_forward_only() -> None:
    made = session(preset=preset_state(version=2))
    assert made.refresh_preset(T0, preset_state(version=2, name="same")) == []
    assert made.refresh_preset(T0, preset_state(version=1, name="older")) == []
    newer = preset_state(version=3, name="newer")
    assert len(made.refresh_preset(LATER, newer)) == 1
    assert (made.preset, made.updated_at) == (newer, LATER)
    made.start(LATER, newer, LIMITS)
    assert made.refresh_preset(LATER, preset_state(version=4)) == []
    assert made.preset == newer


def test_a_live_session_is_not_deleted() -> None:
    with pytest.raises(Conflict) as refusal:
        live_session().delete()
    assert refusal.value.code == "session_live"
    for made in (session(), ended_session(), expired_session()):
        assert [type(event) for event in made.delete()] == [SessionDeleted]


def test_nobody_came_within_the_grace() -> None:
    made = live_session()
    assert made.due_at == T0 + GRACE
    assert apply_timeouts(made, T0 + GRACE - timedelta(milliseconds=1), LIMITS) == []
    assert [type(event) for event in apply_timeouts(made, T0 + GRACE, LIMITS)] == [SessionEnded]
    assert made.end_reason is EndReason.NO_HOST


def test_the_longest_a_session_lasts() -> None:
    made = live_session()
    host_joined(made, "PA_1", T0, LIMITS)
    longest = T0 + LIMITS.max_duration
    assert made.due_at == longest
    assert [type(event) for event in apply_timeouts(made, longest, LIMITS)] == [SessionEnded]
    assert made.end_reason is EndReason.MAX_DURATION


def test_a_session_without_a_time_does_not_expire() -> None:
    made = session()
    assert apply_timeouts(made, T0 + timedelta(days=365), LIMITS) == []
    assert made.status is SessionStatus.SCHEDULED


def test_an_encoder_that_was_there_first_counts() -> None:
    """It may connect between the opening of the LiveKit room and the session's going live."""
    made = session(mode=SessionMode.RTMP)
    host_joined(made, "PA_encoder", T0, LIMITS)
    made.start(T0, made.preset, LIMITS)
    assert apply_timeouts(made, T0 + 2 * GRACE, LIMITS) == []
    host_left(made, "PA_encoder", T0, T0 + 3 * GRACE, LIMITS)
    assert made.due_at == T0 + 4 * GRACE
