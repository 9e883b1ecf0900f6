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

from services.attendance.exports.schemas import COLUMNS, Format
from services.attendance.exports.service import ExportService
from services.attendance.reports.rows import AttendanceRows
from shared.access.identity import Caller
from shared.contracts.session_events import UserRegistered
from shared.contracts.states import Role, UserRole, UserState
from shared.errors import Forbidden, NotFound
from shared.ids import new_id
from tests.unit.attendance.events import LIBRARY, at, connection, host, joined, left, session, viewer
from tests.unit.attendance.world import World

FORMULA = '=HYPERLINK("https://evil.example","x")'
NAMES = ['Ärmel, "der" Erste', FORMULA, "+49", "@all", "Bob"]


def exports(world: World) -> ExportService:
    """In pages of three."""
    rows = AttendanceRows(world.presences, world.users, world.clock)
    return ExportService(world.views, world.attendances, rows, page=3)


async def exported(world: World, session_id: str, format_: Format, caller: Caller | None = None) -> bytes:
    pieces = await exports(world).export(session_id, caller or host(), None, format_)
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


async def crowd(world: World, names: Iterable[str] = NAMES) -> str:
    """People who came one after the other and left: the first after a second."""
    state = session()
    await world.go_live(state)
    connections = [
        connection(new_id(), f"PA_{new_id()}", at(n), username=name) for n, name in enumerate(names)
    ]
    await world.see(
        *(joined(state.id, one) for one in connections),
        *(left(state.id, one, at(n + 1)) for n, one in enumerate(connections)),
    )
    return state.id


async def test_a_table_holds_everybody_in_order_and_nothing_that_runs(world: World) -> None:
    session_id = await crowd(world)
    rows = from_csv(await exported(world, session_id, Format.CSV))
    escape_formula = [NAMES[0], "'" + FORMULA, "'+49", "'@all", "Bob"]
    assert [row["username"] for row in rows] == escape_formula
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["joined_at"], rows[0]["watch_duration"]) == ("2030-01-01T12:00:00Z", "1")
    assert (rows[0]["email"], rows[0]["is_guest"]) == ("", "false")
    sheet = from_xlsx(await exported(world, session_id, Format.XLSX))
    assert sheet[0] == list(COLUMNS)
    assert len(sheet) == len(NAMES) + 1


async def test_json_holds_the_values_as_they_are(world: World) -> None:
    session_id = await crowd(world)
    rows = orjson.loads(await exported(world, session_id, Format.JSON))
    assert [row["username"] for row in rows] == NAMES
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["watch_duration"] == 1


@pytest.mark.parametrize(
    ("format_", "read", "expected"),
    [(Format.CSV, from_csv, []), (Format.JSON, orjson.loads, []), (Format.XLSX, from_xlsx, [list(COLUMNS)])],
)
async def test_nobody_was_there(
    world: World, format_: Format, read: Callable[[bytes], Any], expected: Any
) -> None:
    state = session()
    await world.go_live(state)
    assert read(await exported(world, state.id, format_)) == expected


async def test_pages_follow_each_other_without_loss(world: World) -> None:
    """People who came in the same millisecond are on both sides of a page's end."""
    state = session()
    await world.go_live(state)
    people = [new_id() for _ in range(10)]
    moments = [at(0)] * 5 + [at(1)] * 4 + [at(2)]
    await world.see(
        *(
            joined(state.id, connection(user, f"PA_{user}", moment))
            for user, moment in zip(people, moments, strict=True)
        )
    )
    rows = from_csv(await exported(world, state.id, Format.CSV))
    assert sorted(row["user_id"] for row in rows) == sorted(people)
    assert [row["joined_at"] for row in rows] == sorted(row["joined_at"] for row in rows)


async def test_who_is_still_there_has_not_left(world: World) -> None:
    state = session()
    await world.go_live(state)
    await world.see(joined(state.id, connection(new_id(), "PA_1", at(0))))
    world.clock.advance(seconds=90)
    (row,) = from_csv(await exported(world, state.id, Format.CSV))
    stayed = int(row["watch_duration"])
    assert row["left_at"] == ""
    assert timedelta(seconds=stayed) == world.clock.now() - at(0)


async def test_addresses_are_for_the_organization_only(world: World) -> None:
    outsider, guest = viewer(new_id()), new_id()
    state = session(roles={outsider.user_id: Role.CO_HOST})
    await world.go_live(state)
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
    await world.user_views.follow(UserRegistered(user=known))
    await world.see(joined(state.id, connection(guest, "PA_1", at(0))))
    (ours,) = from_csv(await exported(world, state.id, Format.CSV))
    (theirs,) = from_csv(await exported(world, state.id, Format.CSV, outsider))
    assert (ours["email"], theirs["email"]) == ("anna@example.com", "")


async def test_only_who_hosts_gets_it(world: World) -> None:
    session_id = await crowd(world, ["Bob"])
    with pytest.raises(Forbidden):
        await exports(world).export(session_id, viewer(new_id()), None, Format.CSV)
    with pytest.raises(NotFound):
        await exports(world).export(session_id, host(), new_id(), Format.CSV)
    assert await exports(world).export(session_id, host(), LIBRARY, Format.CSV)
