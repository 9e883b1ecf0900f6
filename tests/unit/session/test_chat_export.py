"""The chat as a file: what its host sees of it, in order."""

import csv
import io
import json

import pytest

from services.session.chat.export import COLUMNS, ChatExport, as_csv, as_json
from shared.errors import Forbidden, NotFound
from tests.unit.session.hosting import Host, new_host
from tests.unit.session.house import House
from tests.unit.session.people import person, refused
from tests.unit.session.test_chat import say


async def whole(house: House, host: Host, session_id: str, kind: str) -> str:
    pieces = await house.chat_export.export(session_id, host.caller, "csv" if kind == "csv" else "json")
    return b"".join([piece async for piece in pieces]).decode()


async def test_a_host_exports_what_they_see(house: House, host: Host) -> None:
    session, viewer, other = await host.live_session(), await person(house), await person(house)
    await say(house, session, viewer, "=1+1")
    await say(house, session, viewer, "for the host", recipient_id=host.user.id)
    await say(house, session, viewer, "for another", recipient_id=other.user_id)
    await say(house, session, host.caller, 'two\nlines, "quoted"')
    seen = ["=1+1", "for the host", 'two\nlines, "quoted"']
    objects = json.loads(await whole(house, host, session.id, "json"))
    assert [one["message"] for one in objects] == seen
    assert list(objects[0]) == list(COLUMNS)
    rows = list(csv.DictReader(io.StringIO(await whole(house, host, session.id, "csv"), newline="")))
    assert [row["message"] for row in rows] == ["'=1+1", *seen[1:]]
    assert [row["recipient_id"] for row in rows] == ["", host.user.id, ""]


async def test_an_empty_chat_is_an_empty_file(house: House, host: Host) -> None:
    session = await host.session()
    assert json.loads(await whole(house, host, session.id, "json")) == []
    assert (await whole(house, host, session.id, "csv")).splitlines() == [",".join(COLUMNS)]


async def test_only_its_host_exports_it(house: House, host: Host) -> None:
    session, service = await host.live_session(), house.chat_export
    await refused("host_required", Forbidden, service.export(session.id, await person(house), "csv"))
    with pytest.raises(NotFound):
        await service.export(session.id, (await new_host(house)).caller, "csv")


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_both_streams_come_in_one_order(house: House, host: Host, page: int) -> None:
    session, viewer = await host.live_session(), await person(house)
    for number in range(9):
        more = {"recipient_id": host.user.id} if number % 3 == 0 else {}
        await say(house, session, viewer, f"{number}", **more)
    export = ChatExport(house.chat, house.session_service, page=page)
    told = [message.text async for message in export.messages(session.id, host.user.id)]
    assert told == [f"{number}" for number in range(9)]
    for writer in (as_csv, as_json):
        assert [piece async for piece in writer(export.messages(session.id, host.user.id))]
