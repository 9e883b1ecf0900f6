"""Centrifugo asks: who connects, and who may hear which channel."""

from dataclasses import replace
from typing import Any, NoReturn

import pytest

from services.session.centrifugo.channels import SessionChannel, UserChannel, channel
from services.session.centrifugo.schemas import (
    DENIED,
    EXPIRED,
    INTERNAL,
    NO_TOKEN,
    NOT_SET_UP,
    UNAUTHORIZED,
    UNKNOWN_CHANNEL,
    ConnectReply,
    ConnectRequest,
    SubscribeReply,
    SubscribeRequest,
    SubscribeResult,
)
from services.session.centrifugo.service import CentrifugoService
from shared.access.identity import TokenVerifier
from shared.errors import Unavailable
from shared.ids import new_id
from tests.unit.session.hosting import Host
from tests.unit.session.house import House
from tests.unit.session.people import ban, for_registered, moderating, person

SECRET = "a secret of tests"
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
WORDS = ("", "session", "session:", "session:x", "user:", "news", f"session:{ID}")
OTHER_SPELLINGS = (f"session:{ID}:admin", f"session:{ID}:staff:", f"$session:{ID}", f"session:{ID}\n")
IN_CAPITALS = (f"session:{ID.upper()}", f"user:{ID.upper()}")
NOT_OURS: list[Any] = [None, 7, ["session:x"], *WORDS, *OTHER_SPELLINGS, *IN_CAPITALS]


def service(house: House, secret: str = SECRET) -> CentrifugoService:
    return CentrifugoService(secret, TokenVerifier(house.public_keys, house.clock), house.participation)


def connect(house: House, data: Any = None, authorization: str | None = None) -> ConnectReply:
    return service(house).connect(SECRET, authorization, ConnectRequest(data=data))


async def subscribe(house: House, user: object, to: object) -> SubscribeReply:
    return await service(house).subscribe(SECRET, SubscribeRequest(user=user, channel=to))


ALLOWED = SubscribeReply(result=SubscribeResult())


def denied(refusal: Any) -> SubscribeReply:
    return SubscribeReply(error=refusal)


@pytest.mark.parametrize("shown", [None, "", "another", SECRET + "x", SECRET[:-1], "\udce9"])
async def test_without_the_secret_nobody_is_told_anything(
    house: House, host: Host, shown: str | None
) -> None:
    token, _ = house.issuer.issue(host.caller)
    asked = service(house)
    assert asked.connect(shown, None, ConnectRequest(data={"token": token})).error == UNAUTHORIZED
    body = SubscribeRequest(user=host.user.id, channel=f"user:{host.user.id}")
    assert await asked.subscribe(shown, body) == denied(UNAUTHORIZED)


async def test_where_there_is_no_secret_it_says_so(house: House) -> None:
    for shown in (None, ""):
        asked = service(house, "")
        assert asked.connect(shown, None, ConnectRequest()).error == NOT_SET_UP
        assert await asked.subscribe(shown, SubscribeRequest()) == denied(NOT_SET_UP)


def test_whoever_shows_an_access_token_connects_until_it_ends(house: House, host: Host) -> None:
    token, ends_at = house.issuer.issue(host.caller)
    for reply in (
        connect(house, {"token": token}),
        connect(house, None, f"Bearer {token}"),
        connect(house, {"token": ""}, f"bearer {token}"),
    ):
        assert reply.result is not None
        assert (reply.result.user, reply.result.expire_at) == (host.user.id, int(ends_at.timestamp()))
        assert reply.model_dump(exclude_none=True).keys() == {"result"}


@pytest.mark.parametrize(
    "data", [None, {}, {"token": None}, {"token": 7}, "token", [], {"token": "nonsense"}]
)
def test_without_a_token_a_client_is_sent_away(house: House, data: Any) -> None:
    assert connect(house, data) == ConnectReply(disconnect=NO_TOKEN)


def test_a_client_whose_token_has_ended_is_told_so(house: House, host: Host) -> None:
    token, _ = house.issuer.issue(host.caller)
    house.clock.advance(hours=1)
    assert connect(house, {"token": token}) == ConnectReply(error=EXPIRED)


async def test_everybody_hears_the_session_and_its_staff_what_is_theirs(house: House, host: Host) -> None:
    session, viewer = await host.live_session(), await person(house)
    moderator = await moderating(house, session)
    for user in (host.user.id, viewer.user_id, moderator.user_id):
        assert await subscribe(house, user, f"session:{session.id}") == ALLOWED
    staff = f"session:{session.id}:staff"
    for user in (host.user.id, moderator.user_id):
        assert await subscribe(house, user, staff) == ALLOWED
    assert await subscribe(house, viewer.user_id, staff) == denied(DENIED)


async def test_the_banned_hear_nothing(house: House, host: Host) -> None:
    session, viewer = await host.live_session(), await person(house)
    await ban(house, session, viewer)
    assert await subscribe(house, viewer.user_id, f"session:{session.id}") == denied(DENIED)


async def test_a_banned_device_hears_nothing_under_another_name(house: House, host: Host) -> None:
    session, device = await host.live_session(), new_id()
    again = replace(await person(house), device_id=device)
    await ban(house, session, await person(house), device)
    token, _ = house.issuer.issue(again)
    connected = connect(house, {"token": token}).result
    assert connected is not None
    for meta, answer in ((connected.meta.model_dump(), DENIED), (None, None), ({"device_id": 7}, None)):
        body = SubscribeRequest(user=again.user_id, channel=f"session:{session.id}", meta=meta)
        assert (await service(house).subscribe(SECRET, body)).error == answer


async def test_guests_hear_nothing_of_what_is_for_registered_people(house: House, host: Host) -> None:
    session, guest = await host.live_session(), await person(house)
    known = await person(house, host.user.organization_id, external_user_id="c-1")
    await for_registered(house, session)
    assert await subscribe(house, guest.user_id, f"session:{session.id}") == denied(DENIED)
    assert await subscribe(house, known.user_id, f"session:{session.id}") == ALLOWED


async def test_a_persons_channel_is_theirs_alone(house: House) -> None:
    one, other = new_id(), new_id()
    assert await subscribe(house, one, f"user:{one}") == ALLOWED
    assert await subscribe(house, other, f"user:{one}") == denied(DENIED)


@pytest.mark.parametrize("user", [None, "", 7, [], {"id": "x"}])
async def test_nobody_hears_nothing(house: House, host: Host, user: object) -> None:
    session = await host.live_session()
    assert await subscribe(house, user, f"session:{session.id}") == denied(DENIED)


@pytest.mark.parametrize("name", NOT_OURS)
async def test_an_unknown_channel_is_nobodys(house: House, name: object) -> None:
    assert await subscribe(house, new_id(), name) == denied(UNKNOWN_CHANNEL)


class _Away:
    async def readable_by(self, session_id: str, user_id: str) -> NoReturn:
        raise Unavailable("The database does not answer")


async def test_while_the_database_is_away_the_client_may_try_again(house: House) -> None:
    verifier = TokenVerifier(house.public_keys, house.clock)
    asked = CentrifugoService(SECRET, verifier, _Away())
    body = SubscribeRequest(user=new_id(), channel=f"session:{new_id()}")
    assert await asked.subscribe(SECRET, body) == denied(INTERNAL)


def test_channels_are_read_by_their_names() -> None:
    one = new_id()
    assert channel(f"session:{one}") == SessionChannel(one, staff=False)
    assert channel(f"session:{one}:staff") == SessionChannel(one, staff=True)
    assert channel(f"user:{one}") == UserChannel(one)
