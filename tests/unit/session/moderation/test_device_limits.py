"""However many register from a device, a ban of it is small, succeeds, and puts out all of them."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.session.identity.accounts.domain import REGISTRATIONS_AN_HOUR, SIGNED_IN_OF_DEVICE
from services.session.moderation.service import LISTED_OF_DEVICE
from services.session.sessions.domain.bans import MOST_OTHERS
from services.session.sessions.domain.bans import ban as ban_in
from services.session.sessions.domain.people import Ban
from shared.access.identity import ACCESS_LIFETIME, Caller
from shared.contracts.states import Role
from shared.errors import Forbidden, TooManyRequests, Unauthenticated
from shared.ids import new_id
from tests.unit.session.actors import Host, ban, grant_role, refused, registered
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0, live_session
from tests.unit.session.stage.fixtures import Stage, stage


@pytest.fixture
async def at(host: Host) -> Stage:
    return await stage(host)


@pytest.fixture
async def token(backend: Backend) -> str:
    _, token = await backend.sign_in.register_viewer(new_id(), "Anna")
    return token


async def registered_in_turn(backend: Backend, token: str, count: int) -> Sequence[Caller]:
    """Who registered from the device, as fast as that is permitted."""
    made = []
    for number in range(count):
        if number % REGISTRATIONS_AN_HOUR == 0:
            backend.clock.advance(minutes=60)
        made.append(await registered(backend, token))
    return made


async def test_so_many_register_from_a_device_in_an_hour(backend: Backend, token: str) -> None:
    for _ in range(REGISTRATIONS_AN_HOUR - 1):
        await registered(backend, token)
    _, last = await backend.sign_in.register_viewer(new_id(), "Zoe", token)
    for known_by in (token, last):
        with pytest.raises(TooManyRequests):
            await backend.sign_in.register_viewer(new_id(), "Vera", known_by)
    await registered(backend)
    backend.clock.advance(minutes=60)
    await registered(backend, token)


async def test_only_the_last_of_a_device_go_on_signing_in(backend: Backend, token: str) -> None:
    signed_in, own = await backend.sign_in.register_viewer(new_id(), "Berta", token)
    code = await backend.sign_in.generate_code(signed_in.user.caller(new_id()), new_id())
    await registered_in_turn(backend, token, SIGNED_IN_OF_DEVICE - 1)
    fresh = (await backend.sign_in.refresh(signed_in.refresh_token)).refresh_token
    await backend.sign_in.device_login(own)
    code = await backend.sign_in.generate_code(signed_in.user.caller(new_id()), new_id())
    await registered(backend, token)
    attempts = (
        backend.sign_in.refresh(fresh),
        backend.sign_in.device_login(own),
        backend.sign_in.exchange_code(code),
    )
    for attempt in attempts:
        await refused("registration_superseded", Unauthenticated, attempt)


def test_whoever_may_have_a_token_is_listed() -> None:
    """A token to join, got at the end of an access token, lives on for less than an hour in all."""
    assert ACCESS_LIFETIME + timedelta(minutes=10) < timedelta(hours=1)
    assert SIGNED_IN_OF_DEVICE + REGISTRATIONS_AN_HOUR <= LISTED_OF_DEVICE


@pytest.mark.parametrize("away", [False, True])
async def test_a_ban_lists_the_last_and_all_who_are_there(
    backend: Backend, at: Stage, token: str, *, away: bool
) -> None:
    on_stage, connected, moderator, left, banned = await registered_in_turn(backend, token, 5)
    await at.add(on_stage)
    await at.connect(connected)
    await grant_role(backend, at.host, await at.session(), moderator, Role.MODERATOR)
    last = await registered_in_turn(backend, token, LISTED_OF_DEVICE)
    if away:
        backend.livekit.down()
    await ban(backend, at.host, await at.session(), banned)
    backend.livekit.up()
    session = await at.session()
    named = set(session.bans[banned.user_id].others)
    there = {on_stage.user_id, moderator.user_id} | (set() if away else {connected.user_id})
    assert named == {one.user_id for one in last} | there
    assert (session.stage, session.roles) == ({}, {})
    for one in (left, connected, last[0], last[-1]):
        await refused("banned", Forbidden, backend.tokens.join(at.id, one, None))
    if away:
        await ban(backend, at.host, await at.session(), banned)
    await backend.enforcer.enforce(at.id)
    assert backend.livekit.participants[at.id] == {}


def ban_of_device(device: int, others: int) -> Ban:
    """It names so many others."""
    return Ban(
        id="b",
        device_id=f"device {device}",
        others=tuple(f"{device} {number}" for number in range(others)),
        banned_by="host",
        reason=None,
        banned_at=T0,
    )


def test_all_bans_name_so_many_others_and_the_next_ban_succeeds_all_the_same() -> None:
    session = live_session()
    for device in range(3):
        assert ban_in(session, f"user {device}", ban_of_device(device, MOST_OTHERS // 2 - 1), Role.HOST)
    assert [len(one.others) for one in session.bans.values()] == [MOST_OTHERS // 2 - 1] * 2 + [2]
    assert {"user 2", "device 2", "2 0", "2 1"} <= session.banned
    assert "2 2" not in session.banned


def test_whom_a_ban_named_stays_banned_however_many_others_there_are() -> None:
    """A session may name more than it would now."""
    named = MOST_OTHERS * 2 // 3
    bans = {f"user {device}": ban_of_device(device, named) for device in range(2)}
    session = live_session(bans=bans)
    assert ban_in(session, "user 0", ban_of_device(0, named + 1), Role.HOST) == []
    assert session.bans == bans
