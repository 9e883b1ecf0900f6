"""Reminders from the subscription to the mail server and out again, through the gateway."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from icalendar import Calendar

from deploy.local.stack import Stack
from shared.ids import new_id
from tests.contract.api.accounts import Person
from tests.contract.api.fixtures import Fixtures

ARRIVES_WITHIN = 20.0
ONE_CLICK = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def address() -> str:
    return f"{new_id()}@example.com"


async def mail(stack: Stack, to: str, subject: str) -> dict[str, Any]:
    """The mail to this address whose subject begins so, once it is there."""
    assert stack.mail_url is not None
    async with asyncio.timeout(ARRIVES_WITHIN), aiohttp.ClientSession(stack.mail_url) as http:
        while True:
            async with http.get("/api/mails", params={"to": to}) as answer:
                found = (await answer.json())["mails"]
            for one in found:
                if one["subject"].startswith(subject):
                    return dict(one)
            await asyncio.sleep(0.05)


def link_in(mail: dict[str, Any], what: str) -> str:
    """The path and query of the link to `what`."""
    link = next(word for word in mail["text"].split() if f"/reminders/{what}?" in word)
    return f"{urlsplit(link).path}?{urlsplit(link).query}"


async def mine(fixtures: Fixtures, room: str, person: Person) -> Any:
    return await fixtures.get(f"/rooms/{room}/reminders/my", person)


async def test_a_guest_confirms_is_reminded_and_leaves(
    fixtures: Fixtures, stack: Stack, address: str
) -> None:
    room, guest, client = await fixtures.room(), await fixtures.viewer_of_its_own(), fixtures.client
    path = f"/rooms/{room}/reminders"
    (await client.call("POST", path, guest.access_token)).check_refusal(409, "email_required")
    asked = await client.call("POST", path, guest.access_token, {"email": address})
    assert (asked.status, asked.data["subscribed"]) == (201, False)
    confirm = link_in(await mail(stack, address, "Confirm"), "confirm")
    page = await client.raw("GET", confirm)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert not (await mine(fixtures, room, guest))["subscribed"]
    assert (await client.raw("POST", confirm)).status == 200
    assert (await mine(fixtures, room, guest))["subscribed"]

    start = datetime.now(UTC) + timedelta(days=3)
    await fixtures.session(room=room, scheduled_start_time=start.isoformat(timespec="seconds"))
    told = await mail(stack, address, "Scheduled")
    (entry,) = Calendar.from_ical(told["calendar"]).events
    assert entry.start == start.replace(microsecond=0)
    leave = link_in(told, "unsubscribe")
    assert (await client.raw("GET", leave)).status == 200
    assert (await mine(fixtures, room, guest))["subscribed"]
    clicked = await client.raw("POST", leave, None, b"List-Unsubscribe=One-Click", headers=ONE_CLICK)
    assert clicked.status == 200
    assert await mine(fixtures, room, guest) == {"subscribed": False, "created_at": None}


async def test_a_link_that_was_changed_opens_nothing(fixtures: Fixtures, stack: Stack, address: str) -> None:
    room, guest = await fixtures.room(), await fixtures.viewer_of_its_own()
    await fixtures.client.call("POST", f"/rooms/{room}/reminders", guest.access_token, {"email": address})
    confirm = link_in(await mail(stack, address, "Confirm"), "confirm")
    for changed in (confirm[:-1], confirm + "x", confirm.replace(room, await fixtures.room())):
        for method in ("GET", "POST"):
            (await fixtures.client.raw(method, changed)).check_refusal(403, "link_invalid")
    assert not (await mine(fixtures, room, guest))["subscribed"]
    (await fixtures.client.raw("GET", confirm.partition("?")[0])).check_bad_fields("recipient", "token")


async def test_a_bad_address_is_named(fixtures: Fixtures) -> None:
    room, guest = await fixtures.room(), await fixtures.viewer_of_its_own()
    for bad in ("nobody", "a@b@c.example", "a@example.com\r\nBcc: b@example.com", 7, ["a@example.com"]):
        answer = await fixtures.client.call(
            "POST", f"/rooms/{room}/reminders", guest.access_token, {"email": bad}
        )
        answer.check_bad_fields("email")


async def test_subscribing_twice_is_one_subscription(fixtures: Fixtures) -> None:
    room = await fixtures.room()
    path, token = f"/rooms/{room}/reminders", fixtures.host.access_token
    answers = await asyncio.gather(*(fixtures.client.call("POST", path, token) for _ in range(5)))
    assert [answer.data["subscribed"] for answer in answers] == [True] * 5
    for _ in range(2):
        assert (await fixtures.client.call("DELETE", path, token)).data == {"subscribed": False}
