"""Centrifugo asks: who connects, and who may hear which channel."""

from dataclasses import replace
from typing import Any, NoReturn

import pytest

from services.session.centrifugo.schemas import (
    DENIED,
    EXPIRED,
    INTERNAL,
    NO_TOKEN,
    NOT_SET_UP,
    UNAUTHORIZED,
    UNKNOWN_CHANNEL,
    CentrifugoSubscribeRequest,
    ConnectReply,
    ConnectRequest,
    RefreshReply,
    RefreshResult,
    Refusal,
    SubscribeReply,
    SubscribeResult,
)
from services.session.centrifugo.service import CentrifugoService, SessionChannel, UserChannel, channel
from services.session.identity.accounts.schemas import UpdateUserRequest
from shared.access.identity import TokenVerifier
from shared.errors import Unavailable
from shared.ids import new_id
from shared.runtime.rotating_secret import RotatingSecret
from tests.unit.session.actors import Host, ban_directly, for_registered, moderating, person
from tests.unit.session.backend import Backend

SECRET = "a secret of tests"
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
WORDS = ("", "session", "session:", "session:x", "user:", "news", f"session:{ID}")
OTHER_SPELLINGS = (f"session:{ID}:admin", f"session:{ID}:staff:", f"$session:{ID}", f"session:{ID}\n")
IN_CAPITALS = (f"session:{ID.upper()}", f"user:{ID.upper()}")
NOT_OURS: list[Any] = [None, 7, ["session:x"], *WORDS, *OTHER_SPELLINGS, *IN_CAPITALS]


def service(backend: Backend, secret: str = SECRET) -> CentrifugoService:
    verifier = TokenVerifier(backend.public_keys, backend.clock)
    return CentrifugoService(RotatingSecret(secret), verifier, backend.access, backend.clock)


def connect(backend: Backend, data: Any = None, authorization: str | None = None) -> ConnectReply:
    return service(backend).connect(SECRET, authorization, ConnectRequest(data=data))


async def subscribe(backend: Backend, user: object, to: object) -> SubscribeReply:
    return await service(backend).subscribe(SECRET, CentrifugoSubscribeRequest(user=user, channel=to))


ALLOWED = SubscribeReply(result=SubscribeResult())


def denied(refusal: Any) -> SubscribeReply:
    return SubscribeReply(error=refusal)


@pytest.mark.parametrize("shown", [None, "", "another", SECRET + "x", SECRET[:-1], "\udce9"])
async def test_without_the_secret_nobody_is_told_anything(
    backend: Backend, host: Host, shown: str | None
) -> None:
    token, _ = backend.issuer.issue(host.caller)
    asked = service(backend)
    assert asked.connect(shown, None, ConnectRequest(data={"token": token})).error == UNAUTHORIZED
    body = CentrifugoSubscribeRequest(user=host.user.id, channel=f"user:{host.user.id}")
    assert await asked.subscribe(shown, body) == denied(UNAUTHORIZED)
    assert asked.refresh(shown) == RefreshReply(error=UNAUTHORIZED)


async def test_where_there_is_no_secret_it_says_so(backend: Backend) -> None:
    for shown in (None, ""):
        asked = service(backend, "")
        assert asked.connect(shown, None, ConnectRequest()).error == NOT_SET_UP
        assert await asked.subscribe(shown, CentrifugoSubscribeRequest()) == denied(NOT_SET_UP)


def test_whoever_shows_an_access_token_connects_until_it_ends(backend: Backend, host: Host) -> None:
    token, ends_at = backend.issuer.issue(host.caller)
    for reply in (
        connect(backend, {"token": token}),
        connect(backend, None, f"Bearer {token}"),
        connect(backend, {"token": ""}, f"bearer {token}"),
    ):
        assert reply.result is not None
        assert (reply.result.user, reply.result.expire_at) == (host.user.id, int(ends_at.timestamp()))
        assert reply.model_dump(exclude_none=True).keys() == {"result"}


@pytest.mark.parametrize(
    "data", [None, {}, {"token": None}, {"token": 7}, "token", [], {"token": "nonsense"}]
)
def test_without_a_token_a_client_is_sent_away(backend: Backend, data: Any) -> None:
    assert connect(backend, data) == ConnectReply(disconnect=NO_TOKEN)


@pytest.mark.parametrize("seconds_left", [-3600, -6, -4, 0, 4])
def test_a_client_whose_token_has_ended_may_connect_with_another(
    backend: Backend, host: Host, seconds_left: int
) -> None:
    """Also one that ends now: Centrifugo would refuse the connection for good."""
    token, ends_at = backend.issuer.issue(host.caller)
    backend.clock.advance(seconds=(ends_at - backend.clock.now()).total_seconds() - seconds_left)
    assert connect(backend, {"token": token}) == ConnectReply(disconnect=EXPIRED)
    assert 4000 <= EXPIRED.code < 4500, "the client connects again by itself"


def test_a_connection_ends_with_its_token_and_the_client_connects_again(backend: Backend) -> None:
    assert service(backend).refresh(SECRET) == RefreshReply(result=RefreshResult(expired=True))


@pytest.mark.parametrize("refusal", [INTERNAL, UNAUTHORIZED, NOT_SET_UP])
def test_no_client_gives_up_for_what_is_not_its_fault(refusal: Refusal) -> None:
    assert refusal.temporary
    assert refusal.code != 109


async def test_everybody_hears_the_session_and_its_staff_what_is_theirs(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    moderator = await moderating(backend, session)
    for user in (host.user.id, viewer.user_id, moderator.user_id):
        assert await subscribe(backend, user, f"session:{session.id}") == ALLOWED
    staff = f"session:{session.id}:staff"
    for user in (host.user.id, moderator.user_id):
        assert await subscribe(backend, user, staff) == ALLOWED
    unknown = f"session:{new_id()}:staff"
    assert await subscribe(backend, viewer.user_id, staff) == denied(DENIED)
    assert await subscribe(backend, viewer.user_id, unknown) == denied(DENIED)


async def test_the_banned_hear_nothing(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    await ban_directly(backend, session, viewer)
    assert await subscribe(backend, viewer.user_id, f"session:{session.id}") == denied(DENIED)


async def test_a_banned_device_hears_nothing_under_another_name(backend: Backend, host: Host) -> None:
    session, device = await host.live_session(), new_id()
    again = replace(await person(backend), device_id=device)
    await ban_directly(backend, session, await person(backend), device)
    token, _ = backend.issuer.issue(again)
    connected = connect(backend, {"token": token}).result
    assert connected is not None
    for meta, answer in ((connected.meta.model_dump(), DENIED), (None, None), ({"device_id": 7}, None)):
        body = CentrifugoSubscribeRequest(user=again.user_id, channel=f"session:{session.id}", meta=meta)
        assert (await service(backend).subscribe(SECRET, body)).error == answer


async def test_guests_hear_nothing_of_what_is_for_registered_people(backend: Backend, host: Host) -> None:
    session, guest = await host.live_session(), await person(backend)
    known = await person(backend, host.user.organization_id, external_user_id="c-1")
    await for_registered(backend, session)
    assert await subscribe(backend, guest.user_id, f"session:{session.id}") == denied(DENIED)
    assert await subscribe(backend, known.user_id, f"session:{session.id}") == ALLOWED


async def test_whose_account_has_ended_hears_no_more_sessions(backend: Backend, host: Host) -> None:
    """Their connection lasts as long as their token."""
    session, retired, deleted = await host.live_session(), await person(backend), await person(backend)
    await backend.accounts.update(retired.user_id, UpdateUserRequest(is_active=False))
    await backend.accounts.delete(deleted.user_id)
    for user in (retired.user_id, deleted.user_id, new_id()):
        assert await subscribe(backend, user, f"session:{session.id}") == denied(DENIED)


async def test_a_persons_channel_is_theirs_alone(backend: Backend) -> None:
    one, other = new_id(), new_id()
    assert await subscribe(backend, one, f"user:{one}") == ALLOWED
    assert await subscribe(backend, other, f"user:{one}") == denied(DENIED)


@pytest.mark.parametrize("user", [None, "", 7, [], {"id": "x"}])
async def test_nobody_hears_nothing(backend: Backend, host: Host, user: object) -> None:
    session = await host.live_session()
    assert await subscribe(backend, user, f"session:{session.id}") == denied(DENIED)


@pytest.mark.parametrize("name", NOT_OURS)
async def test_an_unknown_channel_is_nobodys(backend: Backend, name: object) -> None:
    assert await subscribe(backend, new_id(), name) == denied(UNKNOWN_CHANNEL)


class _Away:
    async def get_for_participant(self, id: str, user_id: str) -> NoReturn:
        raise Unavailable("The database is unavailable")


async def test_while_the_database_is_away_the_client_may_try_again(backend: Backend) -> None:
    verifier = TokenVerifier(backend.public_keys, backend.clock)
    asked = CentrifugoService(RotatingSecret(SECRET), verifier, _Away(), backend.clock)
    body = CentrifugoSubscribeRequest(user=new_id(), channel=f"session:{new_id()}")
    assert await asked.subscribe(SECRET, body) == denied(INTERNAL)


def test_channels_are_read_by_their_names() -> None:
    one = new_id()
    assert channel(f"session:{one}") == SessionChannel(one, staff=False)
    assert channel(f"session:{one}:staff") == SessionChannel(one, staff=True)
    assert channel(f"user:{one}") == UserChannel(one)
