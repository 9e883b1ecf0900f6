"""Rooms with names and settings of their sessions: what is unique, is found, and follows a change."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.session.catalog.rooms.domain import RoomStanding, changed_options
from services.session.catalog.rooms.schemas import CreateRoomRequest, MyRoomsQuery, UpdateRoomRequest
from shared.contracts.people_and_catalog_events import RoomUpdated
from shared.contracts.states import RoomOptions
from shared.errors import Conflict, Forbidden, InvalidRequest
from tests.unit.session.actors import Host, new_host, refused
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0

HOUR = timedelta(hours=1)


@pytest.fixture
async def stranger(backend: Backend) -> Host:
    return await new_host(backend)


async def change(host: Host, room_id: str, **fields: Any) -> Any:
    body = UpdateRoomRequest.model_validate(fields)
    return await host.backend.room_service.update(room_id, host.caller, None, body)


async def found(host: Host, **query: Any) -> list[str]:
    answer = await host.backend.room_service.list_mine(None, MyRoomsQuery(**query), host.caller)
    return [room.id for room in answer.rooms]


async def test_a_name_is_one_rooms_alone_whatever_its_case(backend: Backend, host: Host) -> None:
    weekly = await host.room(name="Weekly")
    await refused("room_name_taken", Conflict, host.room(name="wEEKLY"))
    other = await host.room(name="monthly")
    await refused("room_name_taken", Conflict, change(host, other, name="weekly"))
    assert (await change(host, weekly, name="WEEKLY")).name == "WEEKLY"
    assert await found(host, name="weekly") == [weekly]
    await backend.room_service.delete(weekly, host.caller, None)
    again = await host.room(name="weekly")
    assert await found(host, name="Weekly") == [again]


async def test_a_name_is_compared_as_it_is(host: Host) -> None:
    dotted = await host.room(name="a.b:c")
    await host.room(name="axb:c")
    await host.room(name="c")
    assert await found(host, name="A.B:C") == [dotted]
    assert await found(host, name="b:c") == []


@pytest.mark.parametrize("name", ["", "a b", "ä", "a/b", "x" * 101, "a\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError):
        CreateRoomRequest(title="A room", name=name)


async def test_another_organization_may_use_the_same_name(
    backend: Backend, host: Host, stranger: Host
) -> None:
    await host.room(name="weekly")
    theirs = await stranger.room(name="weekly")
    assert await found(stranger, name="weekly") == [theirs]


async def test_pages_by_cursor_show_each_room_once_while_others_are_made(host: Host) -> None:
    made = [await host.room() for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        query = MyRoomsQuery(limit=2, cursor=cursor)
        page = await host.backend.room_service.list_mine(None, query, host.caller)
        seen += [room.id for room in page.rooms]
        await host.room()
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_filters_include_their_bounds(backend: Backend, host: Host) -> None:
    early = await host.room(join_from=T0, join_until=T0 + HOUR)
    backend.clock.advance(seconds=60)
    late = await host.room(join_from=T0 + HOUR, join_until=T0 + 2 * HOUR)
    now = backend.clock.now()
    assert await found(host, created_after=now) == [late]
    assert await found(host, created_before=now) == [late, early]
    assert await found(host, created_before=now - timedelta(milliseconds=1)) == [early]
    assert await found(host, join_from_after=T0 + HOUR) == [late]
    assert await found(host, join_until_before=T0 + HOUR) == [early]
    await change(host, early, enabled=False)
    assert await found(host, enabled=True) == [late]
    assert await found(host, enabled=False) == [early]


async def test_a_disabled_room_starts_and_admits_nobody_and_what_is_live_goes_on(
    backend: Backend, host: Host
) -> None:
    room = await host.room()
    live, waiting = await host.session(room), await host.session(room)
    await host.start(live)
    await change(host, room, enabled=False)
    assert (await backend.sessions.get(live.id)).is_live
    await refused("room_disabled", Forbidden, backend.tokens.join(live.id, host.caller, None))
    await refused("room_disabled", Forbidden, host.session(room))
    await host.end(live)
    await refused("room_disabled", Forbidden, host.start(waiting))
    await change(host, room, enabled=True)
    await host.start(waiting)


async def test_an_unlisted_room_and_its_sessions_are_in_no_public_list(backend: Backend, host: Host) -> None:
    room = await host.room(unlisted=True)
    session = await host.session(room)
    assert not (await backend.rooms.get(room)).listed
    assert not session.listed
    await change(host, room, unlisted=None)
    assert (await backend.rooms.get(room)).listed
    assert (await backend.sessions.get(session.id)).listed
    await change(host, room, unlisted=True)
    assert not (await backend.sessions.get(session.id)).listed


async def test_sessions_follow_a_change_that_nobody_carried_out(backend: Backend, host: Host) -> None:
    room = await host.room()
    waiting, over = await host.session(room), await host.session(room)
    await host.start(over)
    await host.end(over)
    changed = await backend.rooms.change(
        room, lambda one: one.edit(T0, public=True, enabled=False, unlisted=True)
    )
    assert (await backend.sessions.get(waiting.id)).listed
    await backend.publish(RoomUpdated(room=changed.state()))
    followed = [await backend.sessions.get(one.id) for one in (waiting, over)]
    assert [(one.listed, one.unlisted) for one in followed] == [(False, True)] * 2
    await refused("room_disabled", Forbidden, host.start(waiting))


async def test_the_newest_state_of_a_room_holds_whoever_is_slow(
    backend: Backend, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await host.room()
    session = await host.session(room)
    follow = backend.sessions.follow_room

    async def slow(room_id: str, standing: RoomStanding) -> None:
        monkeypatch.undo()
        await change(host, room, unlisted=False)
        await follow(room_id, standing)

    monkeypatch.setattr(backend.sessions, "follow_room", slow)
    await change(host, room, unlisted=True)
    assert (await backend.sessions.get(session.id)).listed


async def test_what_sessions_do_not_follow_touches_none(
    backend: Backend, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await host.room()
    touched: list[str] = []

    async def followed(room_id: str, _: RoomStanding) -> None:
        touched.append(room_id)

    monkeypatch.setattr(backend.sessions, "follow_room", followed)
    await change(host, room, title="Another", unlisted=False)
    assert touched == []
    await change(host, room, enabled=False)
    assert touched == [room]


async def test_what_a_customer_keeps_is_given_back_as_it_was_and_to_no_stranger(
    backend: Backend, host: Host, stranger: Host
) -> None:
    meta = {"$set": 1, "a.b": [None, {"": "x"}], "deep": {"er": 1.5}}
    room = await host.room(meta=meta)
    service = backend.room_service
    assert (await service.get(room, None, host.caller)).meta == meta
    assert (await service.get(room, None, stranger.caller)).meta == {}
    assert (await service.get(room, None, None)).meta == {}
    assert (await change(host, room, meta=None)).meta == {}


@pytest.mark.parametrize("meta", [f'{{"long": "{"x" * 16_384}"}}', '{"a":' * 300 + "1" + "}" * 300])
def test_what_cannot_be_kept_is_refused(meta: str) -> None:
    with pytest.raises(ValidationError):
        CreateRoomRequest.model_validate_json(f'{{"title": "A room", "meta": {meta}}}', strict=True)


async def test_a_preset_must_be_ones_own(host: Host, stranger: Host) -> None:
    theirs = (await stranger.preset()).id
    with pytest.raises(InvalidRequest):
        await host.room(preset_id=theirs)
    mine = (await host.preset()).id
    room = await host.room(preset_id=mine)
    with pytest.raises(InvalidRequest):
        await change(host, room, preset_id=theirs)
    assert (await change(host, room, preset_id=None)).preset_id is None


def test_a_window_that_never_opens_is_refused() -> None:
    options = changed_options(RoomOptions(), {"join_from": T0, "max_members": 3})
    with pytest.raises(InvalidRequest):
        changed_options(options, {"join_until": T0})
    later = changed_options(options, {"join_until": T0 + HOUR, "max_members": None})
    assert (later.join_from, later.join_until, later.max_members) == (T0, T0 + HOUR, None)
