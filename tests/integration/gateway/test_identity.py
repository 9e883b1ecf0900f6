"""Identity at the door: tokens, API keys, and nobody."""

import asyncio
import base64
from datetime import timedelta

import pytest

from tests.integration.gateway.rig import KEY_ID, Rig, bearer

_BASIC = {"Authorization": "Basic " + base64.b64encode(f"{KEY_ID}:sesame".encode()).decode()}
_HEADER = {"X-API-Key": f"{KEY_ID}.sesame"}


@pytest.mark.parametrize("path", ["/auth/me", "/presets", "/admin/users", "/sessions/stats"])
async def test_nobody_is_refused_where_somebody_is_needed(rig: Rig, path: str) -> None:
    async with rig.http.get(path) as answer:
        refusal = await answer.json()
    assert (answer.status, refusal["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert rig.session.seen == 0


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
async def test_bad_credentials_are_refused_everywhere(rig: Rig, path: str, headers: dict[str, str]) -> None:
    async with rig.http.get(path, headers=headers) as answer:
        assert answer.status == 401
    assert rig.session.seen == 0


async def test_a_good_token_is_passed_on(rig: Rig) -> None:
    headers = bearer()
    async with rig.http.get("/auth/me", headers=headers) as answer:
        seen = await answer.json()
    assert seen["headers"]["authorization"] == [headers["Authorization"]]


@pytest.mark.parametrize("shown", [_BASIC, _HEADER], ids=["basic", "header"])
async def test_an_api_key_becomes_a_token(rig: Rig, shown: dict[str, str]) -> None:
    rig.session.api_keys[KEY_ID] = "sesame"
    async with rig.http.get("/presets", headers=shown) as answer:
        seen = await answer.json()
    assert seen["headers"]["authorization"][0].startswith("Bearer ey")
    assert "x-api-key" not in seen["headers"]
    assert "sesame" not in str(seen)


async def test_many_at_once_with_one_key_are_one_question(rig: Rig) -> None:
    rig.session.api_keys[KEY_ID] = "sesame"

    async def call() -> int:
        async with rig.http.get("/presets", headers=_HEADER) as answer:
            return answer.status

    assert await asyncio.gather(*(call() for _ in range(40))) == [200] * 40
    assert rig.session.exchanges == 1


async def test_a_deleted_key_stops_within_a_second(rig: Rig) -> None:
    rig.session.api_keys[KEY_ID] = "sesame"
    async with rig.http.get("/presets", headers=_HEADER) as answer:
        assert answer.status == 200
    rig.session.api_keys.clear()
    loop = asyncio.get_running_loop()
    deleted_at = loop.time()
    status = 200
    while status == 200 and loop.time() - deleted_at < 5:
        async with rig.http.get("/presets", headers=_HEADER) as answer:
            status = answer.status
    assert status == 401
    assert loop.time() - deleted_at < 1


async def test_a_key_that_nobody_can_check_is_not_refused_but_postponed(rig: Rig) -> None:
    await rig.session.stop()
    async with rig.http.get("/presets", headers=_HEADER) as answer:
        refusal = await answer.json()
    assert (answer.status, refusal["code"]) == (503, "session_unavailable")
    assert answer.headers["Retry-After"] == "1"
