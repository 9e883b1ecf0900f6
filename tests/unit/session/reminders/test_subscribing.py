"""Who subscribes, by which address, and how they get out."""

import asyncio
from datetime import timedelta
from unittest.mock import AsyncMock
from urllib.parse import parse_qs, urlsplit

import pytest

from services.session.catalog.libraries.schemas import UpdateLibraryRequest
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.subscriptions.domain import recipient_of
from shared.access.identity import Caller
from shared.contracts.states import UserRole
from shared.errors import Conflict, Forbidden, NotFound, TooManyRequests, Unavailable
from shared.ids import new_id
from tests.unit.session.actors import Host
from tests.unit.session.builders import user
from tests.unit.session.reminders.fixtures import Reminders

ADDRESS = "vera@example.com"


async def guest(reminders: Reminders, **given: object) -> Caller:
    made = user(role=UserRole.VIEWER, organization_id=None, username="Vera", **given)
    await reminders.backend.users.add(made, [])
    caller: Caller = made.caller(new_id())
    return caller


def link_in(reminders: Reminders) -> tuple[str, str, str]:
    """The last mail's confirmation link: its room, recipient and token."""
    text = reminders.box.sent[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    link = urlsplit(next(word for word in text.split() if "/reminders/confirm" in word))
    query = parse_qs(link.query)
    return link.path.split("/")[2], query["recipient"][0], query["token"][0]


async def test_an_account_with_an_address_is_subscribed_at_once(reminders: Reminders, host: Host) -> None:
    room = await host.room()
    for _ in range(2):
        answer = await reminders.service.subscribe(room, host.caller, None, "other@example.com")
        assert answer.subscribed
    mine = await reminders.service.mine(room, host.caller, None)
    assert (mine.subscribed, mine.created_at) == (True, answer.created_at)
    await reminders.work()
    assert reminders.box.sent == []


async def test_a_guest_without_an_address_is_refused(reminders: Reminders, host: Host) -> None:
    room = await host.room()
    with pytest.raises(Conflict) as refusal:
        await reminders.service.subscribe(room, await guest(reminders), None, None)
    assert refusal.value.code == "email_required"


async def test_an_address_that_is_given_is_confirmed_first(reminders: Reminders, host: Host) -> None:
    room, vera = await host.room(), await guest(reminders)
    assert not (await reminders.service.subscribe(room, vera, None, ADDRESS)).subscribed
    await reminders.work()
    session = await host.session(room)
    await host.start(session)
    await reminders.work()
    assert reminders.box.told == [(ADDRESS, "Confirm your reminders")]
    assert await reminders.service.confirm(*link_in(reminders))
    assert (await reminders.service.mine(room, vera, None)).subscribed
    await host.end(session)
    await host.start(await host.session(room))
    await reminders.work()
    assert reminders.box.told[1:] == [(ADDRESS, "Live now")]


async def test_an_address_that_does_not_answer_is_not_written_to_again(
    reminders: Reminders, host: Host
) -> None:
    room = await host.room()
    for person in [await guest(reminders) for _ in range(3)]:
        for _ in range(2):
            await reminders.service.subscribe(room, person, None, ADDRESS)
            await reminders.work()
    assert len(reminders.box.sent) == 1


async def test_an_address_is_not_flooded_from_many_rooms(reminders: Reminders, host: Host) -> None:
    rooms, person = [await host.room() for _ in range(6)], await guest(reminders)
    for room in rooms[:5]:
        await reminders.service.subscribe(room, person, None, ADDRESS)
    with pytest.raises(TooManyRequests):
        await reminders.service.subscribe(rooms[5], person, None, ADDRESS)
    assert not (await reminders.service.mine(rooms[5], person, None)).subscribed
    reminders.backend.clock.advance(days=1, seconds=1)
    await reminders.service.subscribe(rooms[5], person, None, ADDRESS)


async def test_an_address_is_not_flooded_by_many_who_ask_at_once(reminders: Reminders, host: Host) -> None:
    """Nobody may count before the others have."""
    rooms = [await host.room() for _ in range(12)]
    people = [await guest(reminders) for _ in range(2)]
    asking = [reminders.service.subscribe(room, person, None, ADDRESS) for room in rooms for person in people]
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, TooManyRequests)]
    assert len(refused) >= 24 - 2 * 5
    await reminders.work()
    assert 1 <= len(reminders.box.sent) <= 5


@pytest.mark.parametrize("devices", [1, 3])
async def test_who_asks_for_one_mail_many_times_at_once_takes_one_place(
    reminders: Reminders, host: Host, devices: int
) -> None:
    people = [await guest(reminders) for _ in range(devices)]
    room = await host.room()
    await asyncio.gather(*(reminders.service.subscribe(room, person, None, ADDRESS) for person in people * 6))
    for _ in range(4):
        await reminders.service.subscribe(await host.room(), people[0], None, ADDRESS)
    with pytest.raises(TooManyRequests):
        await reminders.service.subscribe(await host.room(), people[0], None, ADDRESS)


async def test_a_mail_that_could_not_be_planned_keeps_its_place(
    reminders: Reminders, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, person = await host.room(), await guest(reminders)
    with monkeypatch.context() as away:
        away.setattr(MailRepository, "plan", AsyncMock(side_effect=Unavailable("The database is away")))
        for _ in range(6):
            with pytest.raises(Unavailable):
                await reminders.service.subscribe(room, person, None, ADDRESS)
    await reminders.service.subscribe(room, person, None, ADDRESS)
    await reminders.work()
    assert len(reminders.box.sent) == 1


async def test_one_address_of_several_devices_gets_each_mail_once(reminders: Reminders, host: Host) -> None:
    room = await host.room()
    for _ in range(2):
        await reminders.service.subscribe(room, await guest(reminders), None, ADDRESS.upper())
    await reminders.work()
    assert await reminders.service.confirm(*link_in(reminders))
    await host.start(await host.session(room))
    await reminders.work()
    assert [subject for _, subject in reminders.box.told] == ["Confirm your reminders", "Live now"]


async def test_a_link_is_for_one_address_one_room_and_one_purpose(reminders: Reminders, host: Host) -> None:
    room, other = await host.room(), await host.room()
    recipient = recipient_of(ADDRESS)
    await reminders.service.subscribe(room, await guest(reminders), None, ADDRESS)
    await reminders.work()
    _, _, token = link_in(reminders)
    for at, whom in ((other, recipient), (room, recipient_of("b@example.com"))):
        with pytest.raises(Forbidden):
            await reminders.service.confirm(at, whom, token)
    with pytest.raises(Forbidden):
        await reminders.service.leave(room, recipient, token)
    reminders.backend.clock.advance(days=8)
    with pytest.raises(Forbidden):
        await reminders.service.confirm(room, recipient, token)


async def test_unsubscribing_by_the_link_and_by_the_api(reminders: Reminders, host: Host) -> None:
    room, now = await host.room(), reminders.backend.clock.now()
    await reminders.service.subscribe(room, host.caller, None, None)
    link = urlsplit(reminders.links.unsubscribe(room, host.user.id, now))
    token = parse_qs(link.query)["token"][0]
    for _ in range(2):
        await reminders.service.leave(room, host.user.id, token)
    assert not (await reminders.service.mine(room, host.caller, None)).subscribed
    await reminders.service.subscribe(room, host.caller, None, None)
    for _ in range(2):
        await reminders.service.unsubscribe(room, host.caller, None)
    assert (await reminders.service.mine(room, host.caller, None)).created_at is None


async def test_another_address_takes_the_place_of_the_first(reminders: Reminders, host: Host) -> None:
    room, vera = await host.room(), await guest(reminders)
    for address in (ADDRESS, "vera@other.example"):
        await reminders.service.subscribe(room, vera, None, address)
        await reminders.work()
    assert [to for to, _ in reminders.box.told] == [ADDRESS, "vera@other.example"]
    kept = await reminders.subscriptions.find(room, vera.user_id)
    assert kept is not None
    assert kept.email == "vera@other.example"


async def test_there_is_nothing_to_subscribe_to(reminders: Reminders, host: Host) -> None:
    for room, library in ((new_id(), None), (await host.room(), new_id())):
        with pytest.raises(NotFound):
            await reminders.service.subscribe(room, host.caller, library, None)
        with pytest.raises(NotFound):
            await reminders.service.mine(room, host.caller, library)
        with pytest.raises(NotFound):
            await reminders.service.unsubscribe(room, host.caller, library)


async def test_guests_get_no_mails_once_the_library_is_for_registered_people(
    reminders: Reminders, host: Host
) -> None:
    backend, room = reminders.backend, await host.room()
    await reminders.subscribers(room, 1)
    vera = await guest(reminders)
    await reminders.service.subscribe(room, vera, None, ADDRESS)
    await reminders.work()
    await reminders.service.confirm(*link_in(reminders))
    await host.session(room, scheduled_start_time=backend.clock.now() + timedelta(days=3))
    await reminders.work()
    assert len(reminders.box.sent) == 3
    await backend.library_service.update(host.library.id, UpdateLibraryRequest(registered_only=True))
    await reminders.pass_time(days=2)
    assert [to for to, _ in reminders.box.told[3:]] == ["person0@example.com"]
