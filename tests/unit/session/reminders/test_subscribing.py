"""Who subscribes, by which address, and how they get out."""

from urllib.parse import parse_qs, urlsplit

import pytest

from services.session.reminders.subscriptions.domain import recipient_of
from shared.access.identity import Caller
from shared.contracts.states import UserRole
from shared.errors import Conflict, Forbidden, NotFound, TooManyRequests
from shared.ids import new_id
from tests.unit.session.hosting import Host
from tests.unit.session.make import user
from tests.unit.session.reminders.office import Office

ADDRESS = "vera@example.com"


async def guest(office: Office, **given: object) -> Caller:
    made = user(role=UserRole.VIEWER, organization_id=None, username="Vera", **given)
    await office.house.users.add(made, [])
    caller: Caller = made.caller(new_id())
    return caller


def link_in(office: Office) -> tuple[str, str, str]:
    """The last mail's confirmation link: its room, recipient and token."""
    text = office.box.sent[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    link = urlsplit(next(word for word in text.split() if "/reminders/confirm" in word))
    query = parse_qs(link.query)
    return link.path.split("/")[2], query["recipient"][0], query["token"][0]


async def test_an_account_with_an_address_is_subscribed_at_once(office: Office, host: Host) -> None:
    room = await host.room()
    for _ in range(2):
        answer = await office.service.subscribe(room, host.caller, None, "other@example.com")
        assert answer.subscribed
    mine = await office.service.mine(room, host.caller, None)
    assert (mine.subscribed, mine.created_at) == (True, answer.created_at)
    await office.work()
    assert office.box.sent == []


async def test_a_guest_without_an_address_is_refused(office: Office, host: Host) -> None:
    room = await host.room()
    with pytest.raises(Conflict) as refusal:
        await office.service.subscribe(room, await guest(office), None, None)
    assert refusal.value.code == "email_required"


async def test_an_address_that_is_given_is_confirmed_first(office: Office, host: Host) -> None:
    room, vera = await host.room(), await guest(office)
    assert not (await office.service.subscribe(room, vera, None, ADDRESS)).subscribed
    await office.work()
    session = await host.session(room)
    await host.start(session)
    await office.work()
    assert office.box.told == [(ADDRESS, "Confirm your reminders")]
    assert await office.service.confirm(*link_in(office))
    assert (await office.service.mine(room, vera, None)).subscribed
    await host.end(session)
    await host.start(await host.session(room))
    await office.work()
    assert office.box.told[1:] == [(ADDRESS, "Live now")]


async def test_an_address_that_does_not_answer_is_not_written_to_again(office: Office, host: Host) -> None:
    room = await host.room()
    for person in [await guest(office) for _ in range(3)]:
        for _ in range(2):
            await office.service.subscribe(room, person, None, ADDRESS)
            await office.work()
    assert len(office.box.sent) == 1


async def test_an_address_is_not_flooded_from_many_rooms(office: Office, host: Host) -> None:
    rooms, person = [await host.room() for _ in range(6)], await guest(office)
    for room in rooms[:5]:
        await office.service.subscribe(room, person, None, ADDRESS)
    with pytest.raises(TooManyRequests):
        await office.service.subscribe(rooms[5], person, None, ADDRESS)
    assert not (await office.service.mine(rooms[5], person, None)).subscribed
    office.house.clock.advance(days=1, seconds=1)
    await office.service.subscribe(rooms[5], person, None, ADDRESS)


async def test_one_address_of_several_devices_gets_each_mail_once(office: Office, host: Host) -> None:
    room = await host.room()
    for _ in range(2):
        await office.service.subscribe(room, await guest(office), None, ADDRESS.upper())
    await office.work()
    assert await office.service.confirm(*link_in(office))
    await host.start(await host.session(room))
    await office.work()
    assert [subject for _, subject in office.box.told] == ["Confirm your reminders", "Live now"]


async def test_a_link_is_for_one_address_one_room_and_one_purpose(office: Office, host: Host) -> None:
    room, other = await host.room(), await host.room()
    recipient = recipient_of(ADDRESS)
    await office.service.subscribe(room, await guest(office), None, ADDRESS)
    await office.work()
    _, _, token = link_in(office)
    for at, whom in ((other, recipient), (room, recipient_of("b@example.com"))):
        with pytest.raises(Forbidden):
            await office.service.confirm(at, whom, token)
    with pytest.raises(Forbidden):
        await office.service.leave(room, recipient, token)
    office.house.clock.advance(days=8)
    with pytest.raises(Forbidden):
        await office.service.confirm(room, recipient, token)


async def test_unsubscribing_by_the_link_and_by_the_api(office: Office, host: Host) -> None:
    room, now = await host.room(), office.house.clock.now()
    await office.service.subscribe(room, host.caller, None, None)
    link = urlsplit(office.links.unsubscribe(room, host.user.id, now))
    token = parse_qs(link.query)["token"][0]
    for _ in range(2):
        await office.service.leave(room, host.user.id, token)
    assert not (await office.service.mine(room, host.caller, None)).subscribed
    await office.service.subscribe(room, host.caller, None, None)
    for _ in range(2):
        await office.service.unsubscribe(room, host.caller, None)
    assert (await office.service.mine(room, host.caller, None)).created_at is None


async def test_another_address_takes_the_place_of_the_first(office: Office, host: Host) -> None:
    room, vera = await host.room(), await guest(office)
    for address in (ADDRESS, "vera@other.example"):
        await office.service.subscribe(room, vera, None, address)
        await office.work()
    assert [to for to, _ in office.box.told] == [ADDRESS, "vera@other.example"]
    kept = await office.subscriptions.find(room, vera.user_id)
    assert kept is not None
    assert kept.email == "vera@other.example"


async def test_there_is_nothing_to_subscribe_to(office: Office, host: Host) -> None:
    for room, library in ((new_id(), None), (await host.room(), new_id())):
        with pytest.raises(NotFound):
            await office.service.subscribe(room, host.caller, library, None)
        with pytest.raises(NotFound):
            await office.service.mine(room, host.caller, library)
        with pytest.raises(NotFound):
            await office.service.unsubscribe(room, host.caller, library)
