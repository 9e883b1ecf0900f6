"""Authentication by the gateway: tokens, API keys, and anonymous calls."""

import asyncio
import base64
import time
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.access.identity import TokenIssuer
from shared.clock import SystemClock
from tests.integration.gateway.fixtures import CALLER, KEY_ID, SECRET, GatewayFixture, bearer, running

_BASIC = {"Authorization": "Basic " + base64.b64encode(f"{KEY_ID}:{SECRET}".encode()).decode()}
_HEADER = {"X-API-Key": f"{KEY_ID}.{SECRET}"}


@pytest.mark.parametrize("path", ["/auth/me", "/presets", "/admin/users", "/sessions/stats"])
async def test_nobody_is_refused_where_somebody_is_needed(gateway: GatewayFixture, path: str) -> None:
    async with gateway.http.get(path) as answer:
        refusal = await answer.json()
    assert (answer.status, refusal["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert gateway.session.seen == 0


@pytest.mark.parametrize("path", ["/auth/me", "/rooms"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Digest x"},
        {"X-API-Key": "nonsense"},
        {"X-API-Key": f"{KEY_ID}.wrong"},
        bearer(timedelta(seconds=-60)),
    ],
)
async def test_bad_credentials_are_refused_everywhere(
    gateway: GatewayFixture, path: str, headers: dict[str, str]
) -> None:
    async with gateway.http.get(path, headers=headers) as answer:
        assert answer.status == 401
    assert gateway.session.seen == 0


async def test_a_good_token_is_passed_on(gateway: GatewayFixture) -> None:
    headers = bearer()
    async with gateway.http.get("/auth/me", headers=headers) as answer:
        seen = await answer.json()
    assert seen["headers"]["authorization"] == [headers["Authorization"]]


def _signed(secret: str = SECRET, lifetime: float = 3600) -> dict[str, str]:
    now = time.time()
    claims = {"access_key": KEY_ID, "type": "management", "version": 2, "iat": now, "exp": now + lifetime}
    return {"Authorization": "Bearer " + jwt.encode(claims, secret)}


@pytest.mark.parametrize("shown", [_BASIC, _HEADER, _signed()], ids=["basic", "header", "management"])
async def test_an_api_key_becomes_a_token(gateway: GatewayFixture, shown: dict[str, str]) -> None:
    gateway.session.api_keys[KEY_ID] = SECRET
    async with gateway.http.get("/presets", headers=shown) as answer:
        seen = await answer.json()
    assert seen["headers"]["authorization"][0].startswith("Bearer ey")
    assert "x-api-key" not in seen["headers"]
    assert SECRET not in str(seen)


async def test_a_management_token_is_looked_at_once_and_used_no_longer_than_it_lives(
    gateway: GatewayFixture,
) -> None:
    gateway.session.api_keys[KEY_ID] = SECRET
    lasting, short = _signed(), _signed(lifetime=1.5)
    for shown in (lasting, short):
        async with gateway.http.get("/presets", headers=shown) as answer:
            assert answer.status == 200
    async with asyncio.timeout(10):
        while answer.status == 200:
            async with gateway.http.get("/presets", headers=short) as answer:
                refusal = await answer.json()
    # By the gateway's clock, or by the session service's, which is asked if ours is a moment behind.
    assert answer.status == 401
    assert refusal["code"] in {"token_expired", "management_token_invalid"}
    exchanges = gateway.session.exchanges
    async with gateway.http.get("/presets", headers=short) as answer:
        assert answer.status == 401
    assert gateway.session.exchanges == exchanges


async def test_what_another_secret_signed_is_refused(gateway: GatewayFixture) -> None:
    gateway.session.api_keys[KEY_ID] = SECRET
    async with gateway.http.get(
        "/rooms", headers=_signed("another secret, long enough for HS256 to take it")
    ) as answer:
        refusal = await answer.json()
    assert (answer.status, refusal["code"]) == (401, "management_token_invalid")
    assert gateway.session.seen == 0


async def test_while_a_signing_key_is_replaced_tokens_of_both_hold() -> None:
    old, new, other = (Ed25519PrivateKey.generate() for _ in range(3))

    def signed(key: Ed25519PrivateKey, kid: str) -> dict[str, str]:
        issuer = TokenIssuer(key.private_bytes_raw(), kid, SystemClock())
        return {"Authorization": f"Bearer {issuer.issue(CALLER)[0]}"}

    def public(key: Ed25519PrivateKey) -> str:
        return base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode()

    async with running(identity_public_keys={"old": public(old), "new": public(new)}) as gateway:
        shown = {
            "old": signed(old, "old"),
            "new": signed(new, "new"),
            "unknown": signed(other, "other"),
            "another's kid": signed(new, "old"),
        }
        statuses = {}
        for name, headers in shown.items():
            async with gateway.http.get("/auth/me", headers=headers) as answer:
                statuses[name] = answer.status
        assert statuses == {"old": 200, "new": 200, "unknown": 401, "another's kid": 401}


async def test_many_at_once_with_one_key_are_one_question(gateway: GatewayFixture) -> None:
    gateway.session.api_keys[KEY_ID] = SECRET

    async def call() -> int:
        async with gateway.http.get("/presets", headers=_HEADER) as answer:
            return answer.status

    assert await asyncio.gather(*(call() for _ in range(40))) == [200] * 40
    assert gateway.session.exchanges == 1


async def test_a_deleted_key_stops_within_a_second(gateway: GatewayFixture) -> None:
    gateway.session.api_keys[KEY_ID] = SECRET
    async with gateway.http.get("/presets", headers=_HEADER) as answer:
        assert answer.status == 200
    gateway.session.api_keys.clear()
    loop = asyncio.get_running_loop()
    deleted_at = loop.time()
    status = 200
    while status == 200 and loop.time() - deleted_at < 5:
        async with gateway.http.get("/presets", headers=_HEADER) as answer:
            status = answer.status
    assert status == 401
    assert loop.time() - deleted_at < 1


async def test_a_key_that_nobody_can_check_is_not_refused_but_postponed(gateway: GatewayFixture) -> None:
    await gateway.session.stop()
    async with gateway.http.get("/presets", headers=_HEADER) as answer:
        refusal = await answer.json()
    assert (answer.status, refusal["code"]) == (503, "session_unavailable")
    assert answer.headers["Retry-After"] == "1"
