"""The chat as a file: what its host sees of it, in order."""

import csv
import io
import json

import pytest

from services.session.chat.export import COLUMNS, ChatExport
from shared.errors import Forbidden, NotFound
from tests.unit.session.actors import Host, new_host, person, refused
from tests.unit.session.backend import Backend
from tests.unit.session.chat.test_chat import say


async def whole(backend: Backend, host: Host, session_id: str, kind: str) -> str:
    pieces = await backend.chat_export.export(session_id, host.caller, "csv" if kind == "csv" else "json")
    return b"".join([piece async for piece in pieces]).decode()


async def test_a_host_exports_what_they_see(backend: Backend, host: Host) -> None:
    session, viewer, other = await host.live_session(), await person(backend), await person(backend)
    await say(backend, session, viewer, "=1+1")
    await say(backend, session, viewer, "for the host", recipient_id=host.user.id)
    await say(backend, session, viewer, "for another", recipient_id=other.user_id)
    await say(backend, session, host.caller, 'two\nlines, "quoted"')
    seen = ["=1+1", "for the host", 'two\nlines, "quoted"']
    objects = json.loads(await whole(backend, host, session.id, "json"))
    assert [one["message"] for one in objects] == seen
    assert list(objects[0]) == list(COLUMNS)
    rows = list(csv.DictReader(io.StringIO(await whole(backend, host, session.id, "csv"), newline="")))
    assert [row["message"] for row in rows] == ["'=1+1", *seen[1:]]
    assert [row["recipient_id"] for row in rows] == ["", host.user.id, ""]
    plain = (await whole(backend, host, session.id, "csv")).encode()
    pieces = await backend.chat_export.export(session.id, host.caller, "csv", excel=True)
    assert b"".join([piece async for piece in pieces]) == b"\xef\xbb\xbf" + plain


async def test_an_empty_chat_is_an_empty_file(backend: Backend, host: Host) -> None:
    session = await host.session()
    assert json.loads(await whole(backend, host, session.id, "json")) == []
    assert (await whole(backend, host, session.id, "csv")).splitlines() == [",".join(COLUMNS)]


async def test_only_its_host_exports_it(backend: Backend, host: Host) -> None:
    session, service = await host.live_session(), backend.chat_export
    await refused("host_required", Forbidden, service.export(session.id, await person(backend), "csv"))
    with pytest.raises(NotFound):
        await service.export(session.id, (await new_host(backend)).caller, "csv")


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_both_streams_come_in_one_order(backend: Backend, host: Host, page: int) -> None:
    session, viewer = await host.live_session(), await person(backend)
    for number in range(9):
        more = {"recipient_id": host.user.id} if number % 3 == 0 else {}
        await say(backend, session, viewer, f"{number}", **more)
    export = ChatExport(backend.chat, backend.access, page=page)
    told = [message.text async for message in export.messages(session.id, host.user.id)]
    assert told == [f"{number}" for number in range(9)]
