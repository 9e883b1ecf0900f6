"""What all foreign APIs share: who may call, what a service is asked, and refusals in their own form."""

import asyncio
import base64
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from aiohttp import web

from shared.access.identity import Scope
from tests.integration.gateway.fixtures import CALLER, KEY_ID, SECRET, GatewayFixture, bearer, running

Headers = dict[str, str]


def basic(secret: str = SECRET) -> Headers:
    return {"Authorization": "Basic " + base64.b64encode(f"{KEY_ID}:{secret}".encode()).decode()}


def management(secret: str = SECRET, lifetime: float = 3600) -> Headers:
    now = time.time()
    claims = {"access_key": KEY_ID, "type": "management", "version": 2, "iat": now, "exp": now + lifetime}
    return {"Authorization": "Bearer " + jwt.encode(claims, secret)}


@dataclass(frozen=True)
class Api:
    """`refusal`: the whole body for a status, given the body that came (whose sentences are free)."""

    rooms: str
    unknown: str
    good: Headers
    others: tuple[Headers, ...]
    refusal: Callable[[int, dict[str, Any]], dict[str, Any]]


REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
SIGNALWIRE = Api(
    "/api/video/rooms",
    "/api/video/conferences",
    basic(),
    (management(), bearer(), {"X-API-Key": f"{KEY_ID}.{SECRET}"}, basic("wrong"), {}),
    lambda status, _: {"error": REASONS[status]},
)
HUNDRED_MS = Api(
    "/v2/rooms",
    "/v2/nothing",
    management(),
    (
        basic(),
        bearer(),
        {"X-API-Key": f"{KEY_ID}.{SECRET}"},
        management("x" * 40),
        management(lifetime=-60),
        {},
    ),
    lambda status, body: {
        "code": status,
        "message": body["message"] or "no message",
        # What is wrong with the credentials is said there.
        "details": [str(one) for one in body["details"]] if status == 401 else [],
    },
)
both = pytest.mark.parametrize("api", [SIGNALWIRE, HUNDRED_MS], ids=["signalwire", "100ms"])


@pytest.fixture
async def ours() -> AsyncIterator[GatewayFixture]:
    async with running(upstream_deadline_seconds=0.5) as gateway:
        gateway.session.api_keys[KEY_ID] = SECRET
        yield gateway


async def check_refusal(
    gateway: GatewayFixture, api: Api, status: int, path: str, headers: Headers, method: str = "GET"
) -> web.StreamResponse | Any:
    async with gateway.http.request(method, path, headers=headers) as answer:
        body = await answer.json()
    assert answer.status == status, body
    assert body == api.refusal(status, body)
    assert len(answer.headers["X-Request-Id"]) > 8
    return answer


@both
async def test_only_its_own_form_of_an_api_key_is_taken(ours: GatewayFixture, api: Api) -> None:
    for headers in api.others:
        answer = await check_refusal(ours, api, 401, api.rooms, headers)
        assert "WWW-Authenticate" in answer.headers
    assert ours.session.seen == 0


@both
async def test_a_service_is_asked_with_the_key_s_own_rights(ours: GatewayFixture, api: Api) -> None:
    asked: list[web.Request] = []

    async def rooms(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return web.json_response({"success": True, "data": {"rooms": [], "next_cursor": None}})

    ours.session.handler = rooms
    async with ours.http.get(api.rooms, headers=api.good | {"X-Request-Id": "from-the-client"}) as answer:
        body = await answer.json()
    assert (answer.status, body["data"]) == (200, [])
    assert answer.headers["X-Request-Id"] == "from-the-client"
    assert [request.path for request in asked] == ["/rooms/my"]
    sent = asked[0].headers
    assert sent["X-Request-Id"] == "from-the-client"
    assert sent["X-Forwarded-For"] == "127.0.0.1"
    claims = jwt.decode(sent["Authorization"].removeprefix("Bearer "), options={"verify_signature": False})
    assert claims["sub"] == CALLER.user_id


@both
async def test_a_key_without_the_scope_is_refused_before_any_service_is_asked(
    ours: GatewayFixture, api: Api
) -> None:
    ours.session.caller = dataclasses.replace(CALLER, scopes=frozenset({Scope.WRITE}))
    await check_refusal(ours, api, 403, api.rooms, api.good)
    assert ours.session.seen == 0


@both
async def test_unknown_paths_and_methods_are_refused_in_its_form(ours: GatewayFixture, api: Api) -> None:
    await check_refusal(ours, api, 404, api.unknown, api.good)
    await check_refusal(ours, api, 404, api.unknown + "/deeper/", api.good)
    answer = await check_refusal(ours, api, 405, api.rooms, api.good, method="TRACE")
    assert "GET" in answer.headers["Allow"]


@both
async def test_a_page_of_another_origin_may_ask(ours: GatewayFixture, api: Api) -> None:
    async with ours.http.options(api.rooms, headers={"Origin": "https://example.com"}) as answer:
        assert answer.status == 204
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]


@both
@pytest.mark.parametrize(
    ("status", "retry_after"),
    [(403, None), (404, None), (500, None), (503, "7")],
    ids=lambda value: str(value),
)
async def test_a_service_s_refusal_is_rendered_in_its_form(
    ours: GatewayFixture, api: Api, status: int, retry_after: str | None
) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        body = {"success": False, "error": "No", "code": "no", "timestamp": 1}
        return web.json_response(
            body, status=status, headers={"Retry-After": retry_after} if retry_after else {}
        )

    ours.session.handler = refuse
    answer = await check_refusal(ours, api, status, api.rooms, api.good)
    assert answer.headers.get("Retry-After") == retry_after


@both
async def test_what_no_service_answers_is_rendered_in_its_form(ours: GatewayFixture, api: Api) -> None:
    async def nonsense(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    async def redirect(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/elsewhere")

    async def silence(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    for handler, status in ((nonsense, 502), (redirect, 502), (silence, 504)):
        ours.session.handler = handler
        await check_refusal(ours, api, status, api.rooms, api.good)
    await ours.session.stop()
    await check_refusal(ours, api, 503, api.rooms, api.good)


@both
async def test_a_bug_is_answered_in_its_form(
    ours: GatewayFixture, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.compat.apis._parameters", lambda *_: 1 / 0)
    await check_refusal(ours, api, 500, api.rooms, api.good)


@both
async def test_made_up_keys_are_slowed_in_its_form(api: Api) -> None:
    async with running(rate_limit_auth="2/hour") as gateway:
        wrong = api.others[3]
        statuses = []
        for number in range(4):
            async with gateway.http.get(api.rooms, headers=_another(wrong, number)) as answer:
                statuses.append(answer.status)
                body = await answer.json()
        assert statuses == [401, 401, 429, 429]
        assert body == api.refusal(429, body)
        assert 0 < int(answer.headers["Retry-After"]) <= 3600


def _another(wrong: Headers, number: int) -> Headers:
    """A key that was not tried before."""
    is_basic = wrong["Authorization"].startswith("Basic")
    return basic(f"wrong-{number}") if is_basic else management(f"{number}" * 40)
