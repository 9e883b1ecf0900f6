"""Requests that are counted, and refused with 429."""

import asyncio

import pytest
from aiohttp import web

from tests.integration.gateway.fixtures import KEY_ID, LIBRARY, ROOM, GatewayFixture, bearer, running


async def test_signing_in_is_counted_by_address() -> None:
    async with running(rate_limit_auth="4/hour", trusted_proxies="127.0.0.1") as gateway:
        for path in ("/auth/refresh", "/auth/login", "/auth/viewer/register", "/auth/exchange-code"):
            async with gateway.http.post(path, json={}) as answer:
                assert answer.status == 200
        assert answer.headers["RateLimit-Remaining"] == "0"
        async with gateway.http.post("/auth/refresh", json={}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (429, "too_many_requests")
        async with gateway.http.post("/auth/refresh", headers={"X-Forwarded-For": "192.0.2.1"}) as answer:
            assert answer.status == 200


async def test_writes_are_counted_by_tenant_and_reads_are_not() -> None:
    async with running(rate_limit_writes="3/hour") as gateway:
        for method in ("POST", "PATCH", "DELETE", "POST"):
            path = "/rooms" if method == "POST" else f"/rooms/{ROOM}"
            async with gateway.http.request(method, path, headers=bearer()) as answer:
                status = answer.status
        assert (status, answer.headers["RateLimit-Limit"]) == (429, "3")
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert gateway.session.seen == 3
        async with gateway.http.get("/rooms/my", headers=bearer()) as answer:
            assert answer.status == 200
        assert "RateLimit-Limit" not in answer.headers


HANDS = ("raise_hand", "lower_hand", "join_requests", "stage/leave", "join")


async def test_what_a_person_does_is_counted_by_person_whatever_comes_of_it() -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=409)

    async with running(rate_limit_actions="9/hour") as gateway:
        gateway.session.handler = refuse
        paths = [f"/sessions/{ROOM}/{name}" for name in HANDS]
        paths += [f"/sessions/{ROOM}/polls", f"/polls/{ROOM}/vote", f"/rooms/{ROOM}/reminders"]
        paths += [f"/libraries/{LIBRARY}/sessions/{ROOM}/host_video_state", "/auth/generate-code"]
        statuses = []
        for path in paths:
            async with gateway.http.post(path, json={}, headers=bearer()) as answer:
                statuses.append(answer.status)
        assert statuses == [409] * 9 + [429]
        assert (gateway.session.seen, answer.headers["RateLimit-Limit"]) == (9, "9")
        async with gateway.http.get(f"/sessions/{ROOM}/stage/token", headers=bearer()) as answer:
            assert answer.status == 429
        # Chat, reads and a moderator's work are other things.
        for path in (f"/sessions/{ROOM}/chat", f"/sessions/{ROOM}/join_requests/{ROOM}/approve"):
            async with gateway.http.post(path, json={}, headers=bearer()) as answer:
                assert answer.status == 409


async def test_trying_api_keys_is_counted_by_address_and_those_that_hold_are_not() -> None:
    limits = {"rate_limit_auth": "3/hour", "trusted_proxies": "127.0.0.1"}
    async with running(**limits) as gateway:
        gateway.session.api_keys[KEY_ID] = "right"

        async def shown(secret: str, address: str = "192.0.2.1") -> int:
            headers = {"X-API-Key": f"{KEY_ID}.{secret}", "X-Forwarded-For": address}
            async with gateway.http.get("/presets", headers=headers) as answer:
                return answer.status

        assert [await shown(f"wrong-{number}") for number in range(5)] == [401] * 3 + [429] * 2
        assert gateway.session.exchanges == 3
        # A key that is known to be good is not tried again; elsewhere nobody notices.
        assert await shown("right", "192.0.2.2") == 200
        assert await shown("right") == 200
        assert gateway.session.exchanges == 4


@pytest.mark.parametrize("answer", ["late", "busy"])
async def test_keys_that_the_service_does_not_get_to_count_as_well(answer: str) -> None:
    """Else a flood of made-up keys would count as nothing as soon as the service is too slow for it."""

    async def fail() -> web.StreamResponse:
        if answer == "late":
            await asyncio.sleep(20)
        return web.json_response({}, status=503)

    async with running(rate_limit_auth="3/hour") as gateway:
        gateway.session.failing_exchange = fail
        assert (
            await asyncio.gather(*(show_key(gateway, f"made-up-{number}") for number in range(3)))
            == [503] * 3
        )
        assert await show_key(gateway, "made-up") == 429


async def test_keys_that_nobody_can_be_asked_about_do_not_count() -> None:
    async with running(rate_limit_auth="3/hour") as gateway:
        await gateway.session.stop()
        assert [await show_key(gateway, f"made-up-{number}") for number in range(5)] == [503] * 5


async def show_key(gateway: GatewayFixture, secret: str) -> int:
    async with gateway.http.get("/presets", headers={"X-API-Key": f"{KEY_ID}.{secret}"}) as answer:
        return answer.status


async def test_webhooks_are_never_counted() -> None:
    async with running(rate_limit_auth="1/hour", rate_limit_writes="1/hour") as gateway:
        for _ in range(5):
            async with gateway.http.post("/webhooks/livekit", data=b"x") as answer:
                assert answer.status == 200
            assert "RateLimit-Limit" not in answer.headers
