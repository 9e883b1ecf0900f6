"""Attendance as a file, in each format, over both databases."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import orjson
import pytest

from services.attendance.reports.export import COLUMNS, ExportFormat, ExportService
from services.attendance.reports.rows import AttendanceRows
from shared.access.identity import Caller
from shared.contracts.people_and_catalog_events import UserRegistered
from shared.contracts.states import Role, UserRole, UserState
from shared.errors import Forbidden, NotFound
from shared.ids import new_id
from tests.unit.attendance.builders import LIBRARY, at, connection, host, joined, left, session, viewer
from tests.unit.attendance.fixture import Replica

FORMULA = '=HYPERLINK("https://evil.example","x")'
NAMES = ['Ärmel, "der" Erste', FORMULA, "+49", "@all", "Bob"]


def exports(replica: Replica) -> ExportService:
    """In pages of three."""
    rows = AttendanceRows(replica.presences, replica.users, replica.clock)
    return ExportService(replica.sessions, replica.attendances, rows, page=3)


async def exported(
    replica: Replica, session_id: str, format_: ExportFormat, caller: Caller | None = None
) -> bytes:
    pieces = await exports(replica).export(session_id, caller or host(), None, format_)
    return b"".join([piece async for piece in pieces])


def from_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def from_xlsx(content: bytes) -> list[list[str]]:
    """The cells of the only sheet, as text."""
    with ZipFile(io.BytesIO(content)) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert sheet.findall(".//s:f", space) == [], "a formula"
    return [
        ["".join(cell.itertext()) for cell in row.findall("s:c", space)]
        for row in sheet.findall(".//s:row", space)
    ]


async def crowd(replica: Replica, names: Iterable[str] = NAMES) -> str:
    """People who came one after the other and left: the first after a second."""
    state = session()
    await replica.go_live(state)
    connections = [
        connection(new_id(), f"PA_{new_id()}", at(n), username=name) for n, name in enumerate(names)
    ]
    await replica.see(
        *(joined(state.id, one) for one in connections),
        *(left(state.id, one, at(n + 1)) for n, one in enumerate(connections)),
    )
    return state.id


async def test_a_table_holds_everybody_in_order_and_nothing_that_runs(replica: Replica) -> None:
    session_id = await crowd(replica)
    rows = from_csv(await exported(replica, session_id, "csv"))
    escape_formula = [NAMES[0], "'" + FORMULA, "'+49", "'@all", "Bob"]
    assert [row["username"] for row in rows] == escape_formula
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["joined_at"], rows[0]["watch_duration"]) == ("2030-01-01T12:00:00Z", "1")
    assert (rows[0]["email"], rows[0]["is_guest"]) == ("", "false")
    sheet = from_xlsx(await exported(replica, session_id, "xlsx"))
    assert sheet[0] == list(COLUMNS)
    assert len(sheet) == len(NAMES) + 1


async def test_json_holds_the_values_as_they_are(replica: Replica) -> None:
    session_id = await crowd(replica)
    rows = orjson.loads(await exported(replica, session_id, "json"))
    assert [row["username"] for row in rows] == NAMES
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["watch_duration"] == 1


@pytest.mark.parametrize(
    ("format_", "read", "expected"),
    [("csv", from_csv, []), ("json", orjson.loads, []), ("xlsx", from_xlsx, [list(COLUMNS)])],
)
async def test_nobody_was_there(
    replica: Replica, format_: ExportFormat, read: Callable[[bytes], Any], expected: Any
) -> None:
    state = session()
    await replica.go_live(state)
    assert read(await exported(replica, state.id, format_)) == expected


async def test_pages_follow_each_other_without_loss(replica: Replica) -> None:
    """People who came in the same millisecond are on both sides of a page's end."""
    state = session()
    await replica.go_live(state)
    people = [new_id() for _ in range(10)]
    moments = [at(0)] * 5 + [at(1)] * 4 + [at(2)]
    await replica.see(
        *(
            joined(state.id, connection(user, f"PA_{user}", moment))
            for user, moment in zip(people, moments, strict=True)
        )
    )
    rows = from_csv(await exported(replica, state.id, "csv"))
    assert sorted(row["user_id"] for row in rows) == sorted(people)
    assert [row["joined_at"] for row in rows] == sorted(row["joined_at"] for row in rows)


async def test_who_is_still_there_has_not_left(replica: Replica) -> None:
    state = session()
    await replica.go_live(state)
    await replica.see(joined(state.id, connection(new_id(), "PA_1", at(0))))
    replica.clock.advance(seconds=90)
    (row,) = from_csv(await exported(replica, state.id, "csv"))
    stayed = int(row["watch_duration"])
    assert row["left_at"] == ""
    assert timedelta(seconds=stayed) == replica.clock.now() - at(0)


async def test_addresses_are_for_the_organization_only(replica: Replica) -> None:
    outsider, guest = viewer(new_id()), new_id()
    state = session(roles={outsider.user_id: Role.CO_HOST})
    await replica.go_live(state)
    known = UserState(
        id=guest,
        version=1,
        organization_id=None,
        username="Anna",
        email="anna@example.com",
        role=UserRole.VIEWER,
        is_guest=False,
        is_active=True,
    )
    await replica.users.follow(UserRegistered(user=known))
    await replica.see(joined(state.id, connection(guest, "PA_1", at(0))))
    (ours,) = from_csv(await exported(replica, state.id, "csv"))
    (theirs,) = from_csv(await exported(replica, state.id, "csv", outsider))
    assert (ours["email"], theirs["email"]) == ("anna@example.com", "")


async def test_only_who_hosts_gets_it(replica: Replica) -> None:
    session_id = await crowd(replica, ["Bob"])
    with pytest.raises(Forbidden):
        await exports(replica).export(session_id, viewer(new_id()), None, "csv")
    with pytest.raises(NotFound):
        await exports(replica).export(session_id, host(), new_id(), "csv")
    assert await exports(replica).export(session_id, host(), LIBRARY, "csv")
