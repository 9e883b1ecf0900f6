"""A ban is of a person and their device: all who registered from it are out, wherever they are."""

from collections.abc import Awaitable, Callable

import pytest

from services.session.chat.schemas import CreateChatMessageRequest
from services.session.moderation.presenter import BanParticipantRequest
from services.session.participants.presenter import ParticipantQuery
from services.session.stage.seats.schemas import AddToStageRequest
from shared.access.identity import Caller
from shared.access.room_permissions import RoomParticipant, is_banned_participant
from shared.contracts.states import RequestKind, Role
from shared.errors import AppError, Conflict, Forbidden, NotFound
from shared.http.schema import Page
from shared.ids import new_id
from tests.unit.session.actors import Host, ban, grant_role, refused, registered
from tests.unit.session.backend import Backend
from tests.unit.session.stage.fixtures import Stage, stage


class Device:
    """People who registered from one device, the first of them `anna`."""

    def __init__(self, backend: Backend, token: str, anna: Caller):
        self._backend, self._token, self.anna = backend, token, anna

    async def person(self) -> Caller:
        return await registered(self._backend, known_by=self._token)


@pytest.fixture
async def device(backend: Backend) -> Device:
    signed_in, token = await backend.sign_in.register_viewer(new_id(), "Anna")
    return Device(backend, token, signed_in.user.caller(new_id()))


@pytest.fixture
async def at(host: Host) -> Stage:
    return await stage(host)


async def ban_from(at: Stage, who: Caller) -> None:
    await ban(at.backend, at.host, await at.session(), who)


async def unban_from(at: Stage, who: Caller) -> None:
    await at.backend.moderation.unban(at.id, at.host.caller, who.user_id)


@pytest.mark.parametrize("first", [True, False])
async def test_all_of_the_device_are_removed_wherever_they_are(
    backend: Backend, at: Stage, device: Device, *, first: bool
) -> None:
    berta, carla = await device.person(), await device.person()
    banned, others = (device.anna, (berta, carla)) if first else (berta, (device.anna, carla))
    await at.add(others[0])
    await grant_role(backend, at.host, await at.session(), others[1], Role.MODERATOR)
    stranger = await registered(backend)
    for one in (banned, *others, stranger):
        await at.connect(one)
    await ban_from(at, banned)
    assert await backend.enforcer.enforce(at.id)
    session = await at.session()
    assert list(backend.livekit.participants[at.id]) == [stranger.identity]
    assert (session.stage, session.roles) == ({}, {})
    assert session.assignments[others[1].user_id].removed_at == backend.clock.now()


async def test_whoever_comes_back_by_an_old_token_is_told_from_others(
    backend: Backend, at: Stage, device: Device
) -> None:
    """By the reconciler, which has the session's state alone: also during a reconnection."""
    berta = await device.person()
    await ban_from(at, device.anna)
    state = (await at.session()).state()
    for who, out in ((device.anna, True), (berta, True), (await registered(backend), False)):
        for identity in (who.identity, f"{who.user_id}:monitor"):
            connection = RoomParticipant(identity, "", "standard", False, False, at.backend.clock.now())
            assert is_banned_participant(state, connection) is out
            assert is_banned_participant(await at.session(), connection) is out


async def _says(at: Stage, who: Caller) -> object:
    return await at.backend.chat_service.send(new_id(), at.id, who, CreateChatMessageRequest(message="Hello"))


ATTEMPTS: dict[str, Callable[[Stage, Caller], Awaitable[object]]] = {
    "join": lambda at, who: at.backend.tokens.join(at.id, who, None),
    "stage token": lambda at, who: at.backend.stage.token(at.id, who),
    "leave the stage": lambda at, who: at.backend.stage.leave(at.id, who),
    "hand": lambda at, who: at.raise_hand(who),
    "join request": lambda at, who: at.ask(who, RequestKind.JOIN),
    "list of the stage": lambda at, who: at.backend.stage.show(at.id, who),
    "list of roles": lambda at, who: at.backend.participants.list(at.id, who, ParticipantQuery()),
    "chat": _says,
}


@pytest.mark.parametrize("what", ATTEMPTS)
async def test_all_of_the_device_are_refused_everything(at: Stage, device: Device, what: str) -> None:
    before = await device.person()
    await ban_from(at, device.anna)
    for who in (device.anna, before, await device.person()):
        await refused("banned", Forbidden, ATTEMPTS[what](at, who))
        assert (await at.backend.moderation.status(at.id, who)).banned


async def test_nobody_gives_them_a_place_or_a_role(backend: Backend, at: Stage, device: Device) -> None:
    before = await device.person()
    hand = await at.raise_hand(before)
    await ban_from(at, device.anna)
    await refused("banned", Conflict, at.approve(hand))
    assert await backend.approvals.pending(at.id, at.host.caller, RequestKind.HAND, Page()) == ([], 0)
    for who in (before, await device.person()):
        body = AddToStageRequest(participant_identity=who.user_id)
        await refused("banned", Conflict, backend.stage.add(at.id, at.host.caller, body))
        role = grant_role(backend, at.host, await at.session(), who, Role.MODERATOR)
        await refused("participant_banned", Conflict, role)
    await unban_from(at, device.anna)
    assert (await backend.approvals.pending(at.id, at.host.caller, RequestKind.HAND, Page()))[1] == 1
    await at.approve(hand)


@pytest.mark.parametrize("lifted", [0, 1, 2, 3])
async def test_an_unban_of_one_is_an_unban_of_all(
    backend: Backend, at: Stage, device: Device, lifted: int
) -> None:
    berta = await device.person()
    for banned in (device.anna, berta):
        await ban_from(at, banned)
    people = [device.anna, berta, await device.person(), await device.person()]
    await unban_from(at, people[lifted])
    for who in people:
        await backend.tokens.join(at.id, who, None)
        assert not (await backend.moderation.status(at.id, who)).banned
        with pytest.raises(NotFound):
            await unban_from(at, who)


async def test_another_device_stays_banned(backend: Backend, at: Stage, device: Device) -> None:
    other = await registered(backend)
    for banned in (device.anna, other):
        await ban_from(at, banned)
    await unban_from(at, device.anna)
    await refused("banned", Forbidden, backend.tokens.join(at.id, other, None))


async def test_who_shares_a_device_with_staff_is_not_banned(
    backend: Backend, at: Stage, device: Device
) -> None:
    berta = await device.person()
    session, moderator = await at.session(), await at.moderator()
    body = BanParticipantRequest(user_id=device.anna.user_id)

    async def refusal(by: Caller) -> str:
        with pytest.raises(AppError) as refused:
            await backend.moderation.ban(at.id, by, body, new_id())
        return refused.value.code

    await grant_role(backend, at.host, session, berta, Role.MODERATOR)
    assert await refusal(moderator) == "ban_of_staff"
    assert await refusal(berta) == "ban_of_oneself"
    await grant_role(backend, at.host, session, berta, Role.CO_HOST)
    assert await refusal(at.host.caller) == "ban_of_staff"
    await backend.tokens.join(at.id, device.anna, None)


async def test_who_registers_while_the_ban_is_made_is_banned_with_it(
    backend: Backend, at: Stage, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[Caller] = []
    look = backend.users.newest_of_device

    async def newest_of_device(device_id: str, *, most: int) -> list[str]:
        found = await look(device_id, most=most)
        if not late:
            late.append(await device.person())
            await at.connect(late[0])
        return found

    monkeypatch.setattr(backend.users, "newest_of_device", newest_of_device)
    await ban_from(at, device.anna)
    assert await backend.enforcer.enforce(at.id)
    assert backend.livekit.participants[at.id] == {}


async def test_a_ban_repeated_reaches_whoever_registered_since(
    backend: Backend, at: Stage, device: Device
) -> None:
    await ban_from(at, device.anna)
    first = (await at.session()).bans[device.anna.user_id]
    berta = await device.person()
    backend.clock.advance(seconds=5)
    await ban_from(at, device.anna)
    again = (await at.session()).bans[device.anna.user_id]
    assert (again.id, again.banned_at, again.others) == (first.id, first.banned_at, (berta.user_id,))


async def test_a_customer_s_people_share_no_device(backend: Backend, at: Stage, device: Device) -> None:
    """Their backend says who they are; a page's device token says nothing of them."""
    carla = await backend.accounts.of_customer(at.host.library.organization_id, "c-1", "Carla")
    assert carla.device is None
    await ban_from(at, carla.caller(new_id()))
    assert (await at.session()).banned == {carla.id}
    await backend.tokens.join(at.id, device.anna, None)
