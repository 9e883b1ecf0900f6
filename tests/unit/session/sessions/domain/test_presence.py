"""The host's presence, whatever order its news come in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.session.sessions.domain.lifecycle import apply_timeouts, host_joined, host_left
from services.session.sessions.domain.session import Session
from shared.contracts.states import EndReason, SessionStatus
from shared.errors import Conflict
from tests.unit.session.builders import GRACE, LIMITS, T0, session

SECONDS = st.integers(min_value=0, max_value=600)


@dataclass(frozen=True)
class Stay:
    """A connection of the host from second `start` to second `end`, or still open."""

    sid: str
    start: int
    end: int | None


@dataclass(frozen=True)
class News:
    """One of the two things that LiveKit tells about a stay."""

    stay: Stay
    joined: bool

    def tell(self, session: Session) -> None:
        start = T0 + timedelta(seconds=self.stay.start)
        if self.joined:
            host_joined(session, self.stay.sid, start, LIMITS)
        elif self.stay.end is not None:
            host_left(session, self.stay.sid, start, T0 + timedelta(seconds=self.stay.end), LIMITS)


@st.composite
def stays(draw: st.DrawFn) -> list[Stay]:
    made = []
    for number in range(draw(st.integers(min_value=0, max_value=4))):
        start = draw(SECONDS)
        length = draw(st.none() | SECONDS)
        made.append(Stay(f"PA_{number}", start, None if length is None else start + length))
    return made


@st.composite
def told(draw: st.DrawFn) -> tuple[list[Stay], list[News], int]:
    """Stays, all that is told of them in any order and some of it twice, and when the session starts."""
    made = draw(stays())
    news = [News(stay, joined) for stay in made for joined in (True, False)]
    repeated = draw(st.lists(st.sampled_from(news), max_size=4)) if news else []
    order = draw(st.permutations([*news, *repeated]))
    return made, order, draw(st.integers(min_value=0, max_value=len(order)))


def expected_due(made: list[Stay]) -> timedelta:
    """When, after the start, a session with these stays has to be looked at."""
    if any(stay.end is None for stay in made):
        return LIMITS.max_duration
    return timedelta(seconds=max([0, *(stay.end for stay in made if stay.end is not None)])) + GRACE


@given(told())
def test_order_and_repeats_do_not_matter(case: tuple[list[Stay], list[News], int]) -> None:
    made, order, started_after = case
    kept = session()
    for number, news in enumerate(order):
        if number == started_after:
            kept.start(T0, kept.preset, LIMITS)
        news.tell(kept)
    kept.start(T0, kept.preset, LIMITS)
    assert kept.due_at == T0 + expected_due(made)


@given(stays(), st.integers(min_value=0, max_value=1500))
def test_a_session_ends_when_nobody_was_there_for_the_grace(made: list[Stay], second: int) -> None:
    kept = session()
    kept.start(T0, kept.preset, LIMITS)
    for stay in made:
        News(stay, joined=True).tell(kept)
        News(stay, joined=False).tell(kept)
    apply_timeouts(kept, T0 + timedelta(seconds=second), LIMITS)
    over = timedelta(seconds=second) >= expected_due(made)
    assert (kept.status is SessionStatus.ENDED) == over
    assert (kept.end_reason is EndReason.NO_HOST) == over


def _calls(kept: Session, now: datetime) -> dict[str, Callable[[], object]]:
    return {
        "start": lambda: kept.start(now, kept.preset, LIMITS),
        "end": lambda: kept.end(now, EndReason.HOST),
        "settle": lambda: apply_timeouts(kept, now, LIMITS),
        "reschedule": lambda: kept.reschedule(now, now + timedelta(hours=1), LIMITS),
        "host joined": lambda: host_joined(kept, "PA_1", now, LIMITS),
        "host left": lambda: host_left(kept, "PA_1", now, now, LIMITS),
        "delete": kept.delete,
    }


@given(st.lists(st.sampled_from(sorted(_calls(session(), T0))), max_size=12))
def test_no_order_of_calls_leaves_a_session_between_states(calls: list[str]) -> None:
    kept = session()
    for number, call in enumerate(calls):
        try:
            _calls(kept, T0 + timedelta(hours=3 * number))[call]()
        except Conflict as refusal:
            assert refusal.code.startswith("session_")  # noqa: PT017
        live, ended = kept.status is SessionStatus.LIVE, kept.status is SessionStatus.ENDED
        assert (kept.live_room_id is not None) == live
        assert (kept.started_at is not None) == (live or ended)
        assert (kept.ended_at is not None) == (kept.end_reason is not None) == ended
        assert kept.due_at is None or live or kept.status is SessionStatus.SCHEDULED
