"""Where people, rooms, sign-ins and auth codes are kept."""

import asyncio
from datetime import timedelta

import pytest

from services.session.catalog.rooms.domain import Analytics, Room, TagManager
from services.session.catalog.rooms.repository import RoomRepository
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.organizations.repository import of_organization
from services.session.identity.revocations.service import RevocationRepository
from services.session.identity.signin.domain import AuthCode, SignIn
from services.session.identity.signin.repository import AuthCodeRepository, SignInRepository
from shared.access.identity import LONGEST_LIFETIME
from shared.contracts.states import UserRole
from shared.ids import new_id
from shared.persistence.mongo import Duplicate, Mongo
from tests.unit.session.builders import HOST, LIBRARY, T0, room, user

MONTH = timedelta(days=30)


@pytest.fixture
async def sign_ins(mongo: Mongo) -> SignInRepository:
    made = SignInRepository(mongo)
    await made.ensure_indexes()
    return made


def sign_in(user_id: str | None = None, via: str | None = None) -> SignIn:
    times = {"rotated_at": T0, "expires_at": T0 + MONTH}
    return SignIn(id=new_id(), user_id=user_id or new_id(), generation=1, via=via, **times)


async def test_an_address_and_a_device_are_one_persons(users: UserRepository) -> None:
    anna = user(email="anna@example.com")
    vera = user(role=UserRole.VIEWER, organization_id=None, device_hash="abc")
    for one in (anna, vera, user(), user()):
        await users.add(one, one.registered())
    assert await users.find_by_email("Anna@Example.COM") == anna
    assert await users.find_by_device("abc") == vera
    assert await users.find_by_email("nobody@example.com") is None
    for same in (user(email="anna@example.com"), user(device_hash="abc")):
        with pytest.raises(Duplicate):
            await users.add(same, same.registered())


async def test_a_deleted_persons_address_is_free(users: UserRepository) -> None:
    anna = user(email="anna@example.com")
    await users.add(anna, anna.registered())
    await users.remove(anna.id, lambda one: one.leave(T0))
    assert await users.find_by_email("anna@example.com") is None
    again = user(email="anna@example.com")
    await users.add(again, again.registered())
    assert await users.find_by_email("anna@example.com") == again


async def test_people_are_listed_by_organization(users: UserRepository) -> None:
    ours, theirs = new_id(), new_id()
    made = [user(organization_id=ours), user(organization_id=theirs), user(organization_id=ours)]
    for one in made:
        await users.add(one, one.registered())
    assert await users.page(of_organization(ours), skip=0, limit=1) == ([made[2]], 2)
    assert await users.page(of_organization(None), skip=0, limit=10) == (made[::-1], 3)
    assert [await users.any_in(organization) for organization in (ours, new_id())] == [True, False]


async def test_rooms_are_listed_to_the_public_and_to_their_host(rooms: RoomRepository) -> None:
    other = new_id()
    public, unlisted = room(), room(listed=False)
    elsewhere, anothers = room(library_id=other), room(host_id=new_id())
    for one in (public, unlisted, elsewhere, anothers):
        await rooms.add(one, one.created())
    assert await rooms.list_public(None, 0, 10) == ([anothers, elsewhere, public], 3)
    assert await rooms.list_public(other, 0, 10) == ([elsewhere], 1)
    assert await rooms.list_of_host(HOST, None, 0, 10) == ([elsewhere, unlisted, public], 3)
    assert await rooms.list_of_host(HOST, LIBRARY, 1, 1) == ([public], 2)
    assert sorted(await rooms.ids_in_library(other)) == [elsewhere.id]
    await rooms.remove(elsewhere.id, Room.delete)
    assert not await rooms.any_in_library(other)
    assert await rooms.list_public(other, 0, 10) == ([], 0)


async def test_a_room_comes_back_as_it_was_kept(rooms: RoomRepository) -> None:
    for analytics in (None, Analytics(), Analytics(google_tag_manager=TagManager(container_id="GTM"))):
        made = room(description="About it", analytics=analytics)
        await rooms.add(made, made.created())
        assert await rooms.get(made.id) == made


async def test_a_generation_is_rotated_once(sign_ins: SignInRepository) -> None:
    made, through_a_key = sign_in(), sign_in(via="a key")
    for one in (made, through_a_key):
        await sign_ins.add(one)
        assert await sign_ins.find(one.id) == one
    later = T0 + timedelta(days=1)
    rotated = await asyncio.gather(*(sign_ins.rotate(made.id, 1, later, MONTH) for _ in range(5)))
    assert sorted(rotated) == [False] * 4 + [True]
    after = await sign_ins.find(made.id)
    assert after is not None
    assert (after.generation, after.rotated_at, after.expires_at) == (2, later, later + MONTH)


async def test_what_is_revoked_stays_revoked(sign_ins: SignInRepository) -> None:
    person = new_id()
    first, second, other = sign_in(person), sign_in(person), sign_in()
    for one in (first, second, other):
        await sign_ins.add(one)
    await sign_ins.revoke(first.id, T0)
    await sign_ins.revoke_all(person, T0 + timedelta(seconds=1))
    kept = [await sign_ins.find(one.id) for one in (first, second, other)]
    assert [one.revoked_at for one in kept if one] == [T0, T0 + timedelta(seconds=1), None]
    assert not await sign_ins.rotate(first.id, 1, T0, MONTH)
    assert await sign_ins.find(new_id()) is None


async def test_a_code_is_taken_once_and_in_time(mongo: Mongo) -> None:
    codes = AuthCodeRepository(mongo)
    await codes.ensure_indexes()
    for code, via in (("good", "a key"), ("late", None), ("own", None)):
        await codes.add(code, AuthCode("anna", via), "a session", T0 + timedelta(seconds=60))
    taken = await asyncio.gather(*(codes.take("good", T0) for _ in range(20)))
    assert [who for who in taken if who] == [AuthCode("anna", "a key")]
    assert await codes.take("own", T0) == AuthCode("anna", None)
    assert await codes.take("late", T0 + timedelta(seconds=60)) is None
    assert await codes.take("late", T0) is None
    assert await codes.take("unknown", T0) is None


async def test_what_was_revoked_is_told_by_its_time(sign_ins: SignInRepository) -> None:
    early, late, kept = sign_in(), sign_in(), sign_in()
    for made in (early, late, kept):
        await sign_ins.add(made)
    await sign_ins.revoke(early.id, T0)
    await sign_ins.revoke(late.id, T0 + timedelta(seconds=5))
    await sign_ins.revoke(late.id, T0 + timedelta(seconds=9))
    assert {one.id for one in await sign_ins.since(T0)} == {early.id, late.id}
    (told,) = await sign_ins.since(T0 + timedelta(seconds=5))
    assert (told.id, told.at) == (late.id, T0 + timedelta(seconds=5))
    assert await sign_ins.since(T0 + timedelta(seconds=6)) == []


async def test_keys_and_people_that_ended_are_told_by_the_last_time(mongo: Mongo) -> None:
    revocations = RevocationRepository(mongo)
    await revocations.ensure_indexes()
    for name, after in (("anna", 0), ("a key", 1), ("anna", 2)):
        await revocations.add(name, T0 + timedelta(seconds=after))
    told = {one.id: one.at - T0 for one in await revocations.since(T0)}
    assert told == {"anna": timedelta(seconds=2), "a key": timedelta(seconds=1)}
    (anna,) = await revocations.since(T0 + timedelta(seconds=2))
    assert anna.until - anna.at > LONGEST_LIFETIME
