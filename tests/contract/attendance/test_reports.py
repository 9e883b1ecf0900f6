"""What hosts read, and who may."""

import pytest

from shared.contracts.people_and_catalog_events import UserRegistered, UserUpdated
from shared.contracts.session_events import SessionEnded
from shared.contracts.states import Role, UserRole, UserState
from shared.errors import Forbidden, NotFound, Unavailable
from shared.ids import new_id
from tests.unit.attendance.builders import (
    LIBRARY,
    ORGANIZATION,
    at,
    connection,
    ended,
    host,
    joined,
    left,
    session,
    viewer,
)
from tests.unit.attendance.fixture import Replica

NAMES = ["Ärmel (x)", "anna", "ANNABEL", "Bob", "Straße"]


async def crowd(replica: Replica) -> str:
    """Five people who came one after the other; the last is still there."""
    state = session()
    connections = [connection(new_id(), f"PA_{n}", at(10 * n), username=name) for n, name in enumerate(NAMES)]
    await replica.go_live(state)
    await replica.see(
        *(joined(state.id, one) for one in connections),
        *(left(state.id, one, at(50)) for one in connections[:-1]),
    )
    replica.clock.advance(seconds=60.5)
    return state.id


async def test_pages_in_the_order_of_joining(replica: Replica) -> None:
    session_id = await crowd(replica)
    pages = [await replica.report(session_id, page=page, limit=2) for page in (1, 2, 3, 4)]
    assert [[row.username for row in page.attendance] for page in pages] == [
        NAMES[:2],
        NAMES[2:4],
        NAMES[4:],
        [],
    ]
    assert {page.total for page in pages} == {5}
    assert {page.currently_watching for page in pages} == {1}


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("ann", ["anna", "ANNABEL"]),
        ("BOB", ["Bob"]),
        ("ärmel (X)", ["Ärmel (x)"]),
        ("strasse", ["Straße"]),
        (".*", []),
        ("", NAMES),
    ],
)
async def test_search_takes_part_of_a_name_in_any_case(replica: Replica, q: str, found: list[str]) -> None:
    session_id = await crowd(replica)
    report = await replica.report(session_id, q=q, limit=2)
    assert [row.username for row in report.attendance] == found[:2]
    assert (report.total, report.currently_watching) == (len(found), 1)


async def test_statistics(replica: Replica) -> None:
    session_id = await crowd(replica)
    stats = await replica.reports.stats(session_id, host(), None)
    watched = 50 + 40 + 30 + 20 + 20.5
    assert vars(stats) == {
        "total_attendees": 5,
        "currently_watching": 1,
        "peak_viewers": 1,
        "average_watch_duration": int(watched / 5),
    }
    await replica.see(SessionEnded(session=ended(session(session_id), at(55))))
    stats = await replica.reports.stats(session_id, host(), None)
    assert (stats.currently_watching, stats.peak_viewers) == (0, 5)
    assert stats.average_watch_duration == (50 + 40 + 30 + 20 + 15) // 5


async def test_statistics_of_an_empty_session(replica: Replica) -> None:
    state = session()
    await replica.go_live(state)
    stats = await replica.reports.stats(state.id, host(), None)
    assert set(vars(stats).values()) == {0}


async def test_people_are_described_from_their_newest_state(replica: Replica) -> None:
    state, user = session(), new_id()
    await replica.go_live(state)
    await replica.see(joined(state.id, connection(user, "PA_1", at(0), username="Door")))
    person = UserState(
        id=user,
        version=1,
        organization_id=None,
        username="Name",
        email=None,
        role=UserRole.VIEWER,
        is_guest=True,
        is_active=True,
    )
    newer = person.model_copy(update={"version": 3, "email": "a@example.org", "is_guest": False})
    for event in (UserRegistered(user=person), UserUpdated(user=newer), UserRegistered(user=person)):
        await replica.users.follow(event)
    (row,) = (await replica.report(state.id)).attendance
    assert (row.username, row.email, row.is_guest) == ("Door", "a@example.org", False)


async def test_who_may_read(replica: Replica) -> None:
    co_host = new_id()
    state = session(roles={co_host: Role.CO_HOST})
    await replica.go_live(state)

    async def read(library: str | None = None, **caller: object) -> None:
        await replica.reports.page(state.id, host(**caller), library, skip=0, limit=50)

    await read()
    await read(library=LIBRARY)
    await read(user_id=new_id(), api_key_id="key")
    await read(user_id=co_host)
    for refused, caller in (
        (Forbidden, {"user_id": new_id()}),
        (NotFound, {"user_id": new_id(), "organization_id": new_id()}),
        (NotFound, {"organization_id": new_id(), "api_key_id": "key", "user_id": new_id()}),
        (NotFound, {"library": new_id()}),
        (Forbidden, {"user_id": new_id(), "role": UserRole.VIEWER, "organization_id": None}),
    ):
        with pytest.raises(refused):
            await read(**caller)


async def test_an_unknown_session_is_asked_for_once(replica: Replica) -> None:
    state = session()
    replica.owner.sessions[state.id] = state
    for _ in range(2):
        assert (await replica.presence.viewers(state.id, host())).total == 0
    assert replica.owner.asked == [state.id]
    with pytest.raises(NotFound):
        await replica.presence.leave(new_id(), viewer(new_id()))
    replica.owner.away = True
    with pytest.raises(Unavailable):
        await replica.presence.viewers(new_id(), host())
    assert state.organization_id == ORGANIZATION
