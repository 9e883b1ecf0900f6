"""Room codes: one for each role of a room, for the host to switch, and what anybody gets for one."""

import asyncio

import pytest

from services.session.catalog.codes.domain import RoomCode
from services.session.catalog.codes.service import RoomCodeService
from services.session.catalog.rooms.domain import Room
from services.session.catalog.rooms.roles import TokenRole
from services.session.catalog.rooms.schemas import UpdateRoomRequest
from services.session.identity.accounts.schemas import UpdateUserRequest
from services.session.sessions.domain import stage
from shared.contracts.states import Role
from shared.errors import Conflict, Forbidden, NotFound
from shared.ids import is_room_code, new_id
from tests.unit.session.actors import Host, colleague, new_host, refused
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller
from tests.unit.session.rooms_with_tokens import TokenRoom, claims_of, token_room


@pytest.fixture
def codes(backend: Backend) -> RoomCodeService:
    return backend.catalog.codes


@pytest.fixture
async def automatic(backend: Backend, host: Host) -> TokenRoom:
    return await token_room(backend, host)


async def made(codes: RoomCodeService, of: TokenRoom, *roles: TokenRole) -> list[RoomCode]:
    return await codes.ensure(of.room.id, of.host.caller, roles or list(TokenRole))


async def code_for(codes: RoomCodeService, of: TokenRoom, role: TokenRole = TokenRole.AUDIENCE) -> str:
    [one] = await made(codes, of, role)
    return one.id


async def test_each_role_has_one_code_however_often_they_are_made(
    codes: RoomCodeService, automatic: TokenRoom
) -> None:
    [guest] = await made(codes, automatic, TokenRole.GUEST)
    at_once = await asyncio.gather(*(made(codes, automatic) for _ in range(5)))
    assert all(answer == at_once[0] for answer in at_once)
    assert [code.role for code in at_once[0]] == list(TokenRole)
    assert guest in at_once[0]
    ids = {code.id for code in at_once[0]}
    assert len(ids) == len(TokenRole)
    assert all(is_room_code(id) for id in ids)


async def test_they_are_listed_by_role_and_whether_they_are_enabled(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom
) -> None:
    host, moderator, guest, audience = await made(codes, automatic)
    asker, room_id = automatic.host.caller, automatic.room.id
    backend.clock.advance(seconds=1)
    off = await codes.switch(guest.id.upper(), asker, enabled=False)
    assert (off.enabled, off.updated_at) == (False, backend.clock.now())
    assert await codes.list_of_room(room_id, asker, None, enabled=True) == [host, moderator, audience]
    assert await codes.list_of_room(room_id, asker, None, enabled=False) == [off]
    assert await codes.list_of_room(room_id, asker, TokenRole.HOST, enabled=None) == [host]
    assert (await made(codes, automatic))[2] == off


async def test_only_the_host_has_them(backend: Backend, codes: RoomCodeService, automatic: TokenRoom) -> None:
    code = await code_for(codes, automatic)
    stranger = (await new_host(backend)).caller
    other = await colleague(backend, automatic.host)
    viewer = caller(organization_id=None)
    for asker, error, reason, of_code in (
        (stranger, NotFound, "room_not_found", "room_code_not_found"),
        (other, Forbidden, "not_the_host", "not_the_host"),
        (viewer, Forbidden, "host_required", "host_required"),
    ):
        await refused(reason, error, codes.ensure(automatic.room.id, asker, [TokenRole.GUEST]))
        await refused(reason, error, codes.list_of_room(automatic.room.id, asker, None, enabled=None))
        await refused(of_code, error, codes.get(code, asker))
        await refused(of_code, error, codes.switch(code, asker, enabled=False))
    await refused("room_code_not_found", NotFound, codes.switch("abc-defg-hij", stranger, enabled=False))
    assert (await codes.switch(code, automatic.key, enabled=True)).enabled
    assert (await codes.get(code.upper(), automatic.key)).id == code


@pytest.mark.parametrize(
    ("role", "given"),
    [
        (TokenRole.HOST, "co_host"),
        (TokenRole.MODERATOR, "moderator"),
        (TokenRole.GUEST, "stage"),
        (TokenRole.AUDIENCE, "audience"),
    ],
)
async def test_whoever_has_one_gets_in_in_its_role(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom, role: TokenRole, given: str
) -> None:
    code = await code_for(codes, automatic, role)
    issued = await backend.code_exchange.exchange(code.upper(), None, "Vera")
    assert claims_of(issued)["attributes"]["greenroom.role"] == given
    assert (issued.user.username, issued.session.room_id) == ("Vera", automatic.room.id)
    assert (await automatic.session(issued)).is_pending


async def test_what_the_customer_keeps_is_for_none_of_its_people(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom
) -> None:
    host, meta = automatic.host, {"invoice": 7}
    body = UpdateRoomRequest(meta=meta)
    await backend.room_service.update(automatic.room.id, host.caller, None, body)
    code = await code_for(codes, automatic)
    known = await automatic.issue(external_user_id="boss", role=TokenRole.HOST)
    by_code = await backend.code_exchange.exchange(code, None, "Vera")
    session = await automatic.session(known)
    viewers = [*(one.user.caller(new_id()) for one in (known, by_code)), host.caller, automatic.key]
    rooms = [await backend.room_service.get(automatic.room.id, None, viewer) for viewer in viewers]
    assert [room.meta for room in rooms] == [{}, {}, meta, meta]
    sessions = [await backend.core.presenter.one(session, viewer) for viewer in viewers]
    assert [one.meta for one in sessions] == [{}, {}, meta, meta]


async def test_saying_who_one_is_makes_nobody_the_customers_person(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom
) -> None:
    trusted = await automatic.issue(external_user_id="boss", name="Boss", role=TokenRole.HOST)
    code = await code_for(codes, automatic)
    said = [await backend.code_exchange.exchange(code, "boss", "Mallory") for _ in range(2)]
    assert len({trusted.user.id, *(one.user.id for one in said)}) == 3
    assert all(one.user.is_guest for one in said)
    assert claims_of(said[0])["attributes"]["greenroom.external_user_id"] == "boss"
    session = await automatic.session(said[0])
    assert session.roles == {trusted.user.id: Role.CO_HOST}
    assert (await backend.accounts.get(trusted.user.id)).username == "Boss"


async def test_what_is_no_code_is_not_found(backend: Backend, automatic: TokenRoom) -> None:
    for code in ("abc-defg-hij", "", "abc", "abc-defg-hij\n", automatic.room.id):
        await refused("room_code_not_found", NotFound, backend.code_exchange.exchange(code, None, "Vera"))


async def test_a_disabled_code_lets_nobody_in_and_nor_does_a_disabled_room(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom
) -> None:
    code = await code_for(codes, automatic)
    asker = automatic.host.caller
    await codes.switch(code, asker, enabled=False)
    await refused("room_code_disabled", Forbidden, backend.code_exchange.exchange(code, None, "Vera"))
    await codes.switch(code, asker, enabled=True)
    await backend.room_service.update(automatic.room.id, asker, None, UpdateRoomRequest(enabled=False))
    await refused("room_disabled", Forbidden, backend.code_exchange.exchange(code, None, "Vera"))
    await refused("room_disabled", Forbidden, made(codes, automatic))
    assert backend.livekit.rooms == {}


async def test_codes_die_with_their_room(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom
) -> None:
    code = await code_for(codes, automatic)
    kept = await code_for(codes, await token_room(backend, automatic.host))
    await backend.room_service.delete(automatic.room.id, automatic.host.caller, None)
    await refused("room_code_not_found", NotFound, backend.code_exchange.exchange(code, None, "Vera"))
    await backend.settle()
    stored = backend.catalog.stores.codes
    assert await stored.find(code) is None
    assert await stored.find(kept) is not None


async def test_a_room_that_is_deleted_while_its_codes_are_made_leaves_none(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = backend.catalog.stores.codes
    add_many = stored.add_many

    async def deleted_meanwhile(*arguments: object) -> None:
        await backend.rooms.remove(automatic.room.id, Room.delete)
        await backend.settle()
        await add_many(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(stored, "add_many", deleted_meanwhile)
    await refused("room_code_not_found", NotFound, made(codes, automatic))
    assert await stored.list_of_room(automatic.room.id) == []


async def test_the_code_of_a_host_who_is_gone_lets_nobody_in(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom
) -> None:
    code = await code_for(codes, automatic)
    await backend.accounts.update(automatic.host.user.id, UpdateUserRequest(is_active=False))
    await refused("host_gone", Forbidden, backend.code_exchange.exchange(code, None, "Vera"))
    await backend.accounts.delete(automatic.host.user.id)
    await refused("host_gone", Forbidden, backend.code_exchange.exchange(code, None, "Vera"))


async def test_a_room_for_registered_people_takes_nobody_by_a_code(
    backend: Backend, codes: RoomCodeService, host: Host
) -> None:
    closed = await token_room(backend, host, registered_only=True)
    code = await code_for(codes, closed)
    await refused("registration_required", Forbidden, backend.code_exchange.exchange(code, None, "Vera"))
    await refused("registration_required", Forbidden, backend.code_exchange.exchange(code, "c-1", "Vera"))


async def test_whoever_finds_no_place_leaves_no_account(
    backend: Backend, codes: RoomCodeService, automatic: TokenRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "MOST_RESERVED", 1)
    code = await code_for(codes, automatic, TokenRole.GUEST)
    await backend.code_exchange.exchange(code, None, "Vera")
    before = await backend.users.collection.count({}, limit=1000)
    await refused("stage_full", Conflict, backend.code_exchange.exchange(code, None, "Vito"))
    assert await backend.users.collection.count({}, limit=1000) == before
    viewers = await code_for(codes, automatic)
    vito = await backend.code_exchange.exchange(viewers, None, "Vito")
    assert await backend.accounts.get(vito.user.id) == vito.user


async def test_a_room_without_automatic_sessions_takes_people_while_it_is_live(
    backend: Backend, codes: RoomCodeService, host: Host
) -> None:
    room = await token_room(backend, host, auto_session=False)
    code = await code_for(codes, room)
    before = await backend.users.collection.count({}, limit=1000)
    await refused("session_not_live", Conflict, backend.code_exchange.exchange(code, None, "Vera"))
    assert await backend.users.collection.count({}, limit=1000) == before
    session = await host.session(room.room.id)
    await host.start(session)
    assert (await backend.code_exchange.exchange(code, None, "Vera")).session.id == session.id
