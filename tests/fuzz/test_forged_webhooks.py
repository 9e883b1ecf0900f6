"""Forged webhooks are refused by the gateway and by the service behind it, without effect."""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jwt
import orjson
import pytest

from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.contracts.states import Role
from shared.ids import new_id
from shared.livekit import JoinGrant, TokenMint
from shared.persistence.mongo import Mongo
from tests.contract.api.accounts import Administrator, sign_in
from tests.contract.api.client import Client, connect
from tests.contract.api.fixtures import Fixtures, make_fixtures
from tests.integration.webhook_client import WebhookClient, webhook
from tests.running_stack import RunningStack

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Forger:
    """Who has LiveKit's key, and uses it wrongly; or has not, and tries."""

    stack: Stack
    session_id: str

    def sign(self, body: bytes, *, secret: str = "", algorithm: str = "HS256", **changes: Any) -> str:
        now = int(datetime.now(UTC).timestamp())
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        claims = {"iss": self.stack.livekit_api_key, "nbf": now, "exp": now + 300, "sha256": digest}
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        key = "" if algorithm == "none" else secret or self.stack.livekit_api_secret
        return jwt.encode(claims, key, algorithm=algorithm)

    def join_token(self) -> str:
        mint = TokenMint(self.stack.livekit_api_key, self.stack.livekit_api_secret, SystemClock())
        grant = JoinGrant(self.session_id, f"{new_id()}:{new_id()}", "Guest", Role.HOST)
        return mint.join_token(grant, lifetime=timedelta(minutes=5))


_OTHER = base64.b64encode(hashlib.sha256(b"another body").digest()).decode()
_SECRET = "another secret, as long as its algorithm wants it to be: 64 bytes or more"
Forgery = Callable[[Forger, bytes], tuple[bytes, str | None]]

# What is sent instead of the body and its signature.
FORGERIES: dict[str, Forgery] = {
    "no header": lambda _, body: (body, None),
    "an empty header": lambda _, body: (body, ""),
    "another key": lambda forger, body: (body, forger.sign(body, secret=_SECRET)),
    "another issuer": lambda forger, body: (body, forger.sign(body, iss="APIforged")),
    "no issuer": lambda forger, body: (body, forger.sign(body, iss=None)),
    "a changed body": lambda forger, body: (body.replace(b"Vera", b"Vesa"), forger.sign(body)),
    "no sha256": lambda forger, body: (body, forger.sign(body, sha256=None)),
    "an empty sha256": lambda forger, body: (body, forger.sign(body, sha256="")),
    "a foreign sha256": lambda forger, body: (body, forger.sign(body, sha256=_OTHER)),
    "expired": lambda forger, body: (body, forger.sign(body, exp=1_700_000_000)),
    "no expiry": lambda forger, body: (body, forger.sign(body, exp=None)),
    "not yet valid": lambda forger, body: (body, forger.sign(body, nbf=4_000_000_000, exp=4_000_000_300)),
    "a join token": lambda forger, body: (body, forger.join_token()),
    "alg none": lambda forger, body: (body, forger.sign(body, algorithm="none")),
    "another algorithm": lambda forger, body: (body, forger.sign(body, secret=_SECRET, algorithm="HS512")),
    "the right key in another algorithm": lambda forger, body: (body, forger.sign(body, algorithm="HS384")),
}


@pytest.fixture(scope="module")
async def fixtures(stack: Stack) -> AsyncIterator[Fixtures]:
    async with connect(stack.base_url) as http:
        client = Client(http)
        admin = await sign_in(client, stack.admin.email, stack.admin.password)
        yield await make_fixtures(client, Administrator(client, admin.access_token))


@pytest.fixture(scope="module")
async def webhooks(running_stack: RunningStack) -> AsyncIterator[WebhookClient]:
    async with aiohttp.ClientSession() as http:
        yield WebhookClient(http, running_stack)


@pytest.fixture(scope="module")
async def database(stack: Stack) -> AsyncIterator[Mongo]:
    mongo = Mongo.from_uri(stack.mongodb.egress)
    yield mongo
    mongo.close()


async def joined(fixtures: Fixtures, session_id: str) -> bytes:
    """A webhook that would count, were it LiveKit's."""
    now, person = datetime.now(UTC), await fixtures.viewer_of_its_own()
    return webhook("participant_joined", session_id, person, sid=f"PA_{new_id()}", joined=now, told=now)


@pytest.mark.parametrize("gateway", [False, True], ids=["directly", "through the gateway"])
async def test_no_forgery_has_any_effect(
    fixtures: Fixtures, webhooks: WebhookClient, database: Mongo, gateway: bool
) -> None:
    session_id = await fixtures.live_session()
    forger = Forger(webhooks.stack, session_id)
    answers, told = {}, []
    for name, forge in FORGERIES.items():
        body = await joined(fixtures, session_id)
        told.append(orjson.loads(body)["id"])
        answers[name] = await webhooks.send(*forge(forger, body), gateway=gateway)
    assert answers == dict.fromkeys(FORGERIES, 401)
    # What was sent last and truly has come through: nothing that was sent before can still be on its way.
    assert await webhooks.post(await joined(fixtures, session_id), gateway=gateway) == 200
    await fixtures.eventually(f"/sessions/{session_id}", lambda session: session["viewer_count"] == 1)
    assert await database.collection("webhooks").find_one({"_id": {"$in": told}}) is None
    attendance = await fixtures.get(f"/sessions/{session_id}/attendance", fixtures.host)
    assert len(attendance["attendance"]) == 1
    await fixtures.do("end", session_id)


@pytest.mark.parametrize(
    ("body", "directly", "through_the_gateway"),
    [
        # LiveKit takes a 4xx for delivered: what the gateway itself cannot take is to be sent again.
        (b'{"id":"EV_big","event":"' + b"x" * _MEGABYTE + b'"}', 413, 503),
        (b"this is not JSON", 422, 422),
        (b"[]", 422, 422),
        (b"\xff\xfe", 422, 422),
        (b"", 422, 422),
    ],
    ids=["over 1 MB", "no JSON", "no object", "no text", "nothing"],
)
async def test_what_livekit_signed_but_cannot_have_meant(
    webhooks: WebhookClient, database: Mongo, body: bytes, directly: int, through_the_gateway: int
) -> None:
    assert await webhooks.post(body) == directly
    assert await webhooks.post(body, gateway=True) == through_the_gateway
    assert await database.collection("webhooks").find_one({"_id": {"$in": ["EV_big", "", None]}}) is None
