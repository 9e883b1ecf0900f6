"""Whatever the order of the facts and however often they come: the same attendance."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.attendance.reports.rows import AttendanceRow
from shared.contracts.event import Event
from shared.contracts.session_events import SessionEnded, SessionStarted
from shared.ids import new_id
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.attendance.builders import at, connection, ended, joined, left, session
from tests.unit.attendance.fixture import Replica

USERS = [new_id() for _ in range(3)]
END = 50


@dataclass(frozen=True)
class Visit:
    """One connection, in whole seconds; `length` None means that nobody ever heard of its end."""

    user: int
    start: int
    length: int | None


visits = st.lists(
    st.builds(Visit, st.integers(0, 2), st.integers(0, 60), st.none() | st.integers(0, 30)), max_size=6
)


def seconds_of(visit: Visit, *, over: bool) -> range:
    end = visit.start + visit.length if visit.length is not None else 100
    return range(visit.start, min(end, END) if over else end)


def model(user: int, all_visits: list[Visit], *, over: bool) -> dict[str, object] | None:
    """The attendance, second by second, seen at second 100."""
    mine = [one for one in all_visits if one.user == user and not (over and one.start >= END)]
    if not mine:
        return None
    watched = {second for one in mine for second in seconds_of(one, over=over)}
    present = not over and any(one.length is None for one in mine)
    last = max(max(seconds_of(one, over=over).stop, one.start) for one in mine)
    return {
        "joined_at": at(min(one.start for one in mine)),
        "left_at": None if present else at(last),
        "watch_duration": len(watched),
        "join_count": len(mine),
    }


def told(row: AttendanceRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("joined_at", "left_at", "watch_duration", "join_count")}


def events_of(session_id: str, all_visits: list[Visit]) -> list[Event]:
    events: list[Event] = []
    for number, visit in enumerate(all_visits):
        one = connection(USERS[visit.user], f"PA_{number}", at(visit.start))
        events.append(joined(session_id, one))
        if visit.length is not None:
            events.append(left(session_id, one, at(visit.start + visit.length)))
    return events


def busiest(all_visits: list[Visit], moments: range, *, over: bool) -> int:
    return max(
        len({one.user for one in all_visits if moment in seconds_of(one, over=over)}) for moment in moments
    )


@settings(deadline=None, max_examples=120)
@given(st.data())
async def test_any_order_gives_the_same_attendance(data: st.DataObject) -> None:
    all_visits, over = data.draw(visits), data.draw(st.booleans())
    state = session()
    events: list[Event] = [SessionStarted(session=state), *events_of(state.id, all_visits)]
    if over:
        events.append(SessionEnded(session=ended(state, at(END))))
    events += data.draw(st.lists(st.sampled_from(events), max_size=6))
    shuffled = data.draw(st.permutations(events))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))

    replica = Replica(memory_mongo())
    for start, stop in pairwise([0, *cuts, len(shuffled)]):
        await replica.see(*shuffled[start:stop])
    replica.clock.advance(seconds=100)

    rows = {row.user_id: told(row) for row in (await replica.report(state.id)).attendance}
    expected = {USERS[user]: model(user, all_visits, over=over) for user in range(3)}
    assert rows == {user: row for user, row in expected.items() if row}
    audience = await replica.viewer_counts.seen(state.id)
    if over:
        assert (audience.viewer_count, audience.max_viewers) == (
            0,
            busiest(all_visits, range(END), over=True),
        )
    else:
        assert audience.viewer_count == busiest(all_visits, range(99, 100), over=False)


def test_the_model_itself() -> None:
    visit = [Visit(0, 10, 5), Visit(0, 12, None)]
    left_at: datetime | None = None
    assert model(0, visit, over=False) == {
        "joined_at": at(10),
        "left_at": left_at,
        "watch_duration": 90,
        "join_count": 2,
    }
