"""Guessing passwords: attempts are counted by e-mail address and by address, whatever becomes of them."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.integration.gateway.fixtures import GatewayFixture, running, talk
from tests.integration.gateway.sign_ins import sign_in, try_password


@pytest.fixture
async def guarded() -> AsyncIterator[GatewayFixture]:
    limits: dict[str, object] = {"rate_limit_login_email": "3/hour", "rate_limit_login_address": "7/hour"}
    async with running(trusted_proxies="127.0.0.1", **limits) as gateway:
        gateway.session.handler = sign_in
        yield gateway


async def test_guessing_the_password_of_one_person_is_slowed(guarded: GatewayFixture) -> None:
    statuses = [(await try_password(guarded, "wrong"))[0] for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    status, headers = await try_password(guarded, "right")
    assert status == 429
    assert 0 < int(headers["Retry-After"]) <= 3600
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("3", "0")
    assert headers["RateLimit-Reset"] == headers["Retry-After"]
    assert guarded.session.seen == 3
    assert (await try_password(guarded, "right", "bob@example.com"))[0] == 200


async def test_the_same_address_in_other_spellings_is_the_same_person(guarded: GatewayFixture) -> None:
    for spelling in ("ada@example.com", "ADA@Example.COM", "Ada L <ada@example.com>"):
        assert (await try_password(guarded, "wrong", spelling))[0] == 401
    assert (await try_password(guarded, "wrong", " ada@example.com "))[0] == 429


async def test_guessing_from_many_addresses_at_once_is_slowed_too(guarded: GatewayFixture) -> None:
    tries = [
        try_password(guarded, "wrong", **{"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(30)
    ]
    statuses = [status for status, _ in await asyncio.gather(*tries)]
    assert statuses.count(401) <= 3
    assert statuses.count(401) + statuses.count(429) == 30


async def test_guessing_at_many_people_from_one_address_is_slowed(guarded: GatewayFixture) -> None:
    statuses = [(await try_password(guarded, "wrong", f"p{n}@example.com"))[0] for n in range(9)]
    assert statuses == [401] * 7 + [429] * 2
    elsewhere = {"X-Forwarded-For": "192.0.2.9"}
    assert (await try_password(guarded, "right", "p1@example.com", **elsewhere))[0] == 200


async def test_whoever_signs_in_rightly_meets_no_limit(guarded: GatewayFixture) -> None:
    for _ in range(20):
        assert (await try_password(guarded, "right"))[0] == 200
    assert [(await try_password(guarded, "wrong"))[0] for _ in range(4)] == [401, 401, 401, 429]


async def test_colleagues_behind_one_address_may_all_sign_in_at_the_same_moment() -> None:
    """With the default limits: none has failed, however many are not answered yet."""
    people, all_there = 60, asyncio.Event()
    asked = 0

    async def think(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        if asked == people:
            all_there.set()
        await all_there.wait()
        return await sign_in(request)

    async with running(upstream_deadline_seconds=60.0) as gateway:
        gateway.session.handler = think
        tries = [try_password(gateway, "right", f"p{number}@example.com") for number in range(people)]
        assert [status for status, _ in await asyncio.gather(*tries)] == [200] * people
        tries = [try_password(gateway, "wrong", f"p{number}@example.com") for number in range(29)]
        assert [status for status, _ in await asyncio.gather(*tries)] == [401] * 29
        assert (await try_password(gateway, "right"))[0] == 200
        assert (await try_password(gateway, "wrong"))[0] == 401
        status, headers = await try_password(gateway, "right", "q@example.com")
        assert (status, headers["RateLimit-Limit"]) == (429, "30")


async def test_an_address_has_so_many_attempts_under_way() -> None:
    asked, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def think(request: web.Request) -> web.StreamResponse:
        asked.release()
        await go_on.wait()
        return await sign_in(request)

    async with running(rate_limit_login_address="2/hour", upstream_deadline_seconds=60.0) as gateway:
        gateway.session.handler = think
        tries = [
            asyncio.create_task(try_password(gateway, "right", f"p{number}@example.com"))
            for number in range(20)
        ]
        async with asyncio.timeout(30):
            for _ in tries:
                await asked.acquire()
        status, headers = await try_password(gateway, "right")
        assert (status, headers["RateLimit-Limit"]) == (429, "20")
        go_on.set()
        assert [status for status, _ in await asyncio.gather(*tries)] == [200] * 20
        assert (await try_password(gateway, "right"))[0] == 200


@pytest.mark.parametrize("answer", ["busy", "late", "broken"])
async def test_what_the_service_was_not_able_to_answer_costs_nobody_a_try(answer: str) -> None:
    async def fail(request: web.Request) -> web.StreamResponse:
        if answer == "late":
            await asyncio.sleep(20)
        elif answer == "broken" and request.transport is not None:
            request.transport.abort()
        return web.json_response({"code": "sign_in_busy"}, status=503)

    limits: dict[str, object] = {"rate_limit_login_address": "3/hour", "rate_limit_login_email": "3/hour"}
    patience = 5.0 if answer == "late" else 60.0
    async with running(upstream_deadline_seconds=patience, **limits) as gateway:
        gateway.session.handler = fail
        statuses = [
            status for status, _ in await asyncio.gather(*(try_password(gateway, "x") for _ in range(3)))
        ]
        assert statuses == [{"busy": 503, "late": 504, "broken": 502}[answer]] * 3
        gateway.session.handler = sign_in
        assert [(await try_password(gateway, "wrong"))[0] for _ in range(4)] == [401] * 3 + [429]


async def test_who_hangs_up_before_the_answer_has_tried(guarded: GatewayFixture) -> None:
    """Else a flood that waits for no answer would count as nothing."""
    asked, never = asyncio.Semaphore(0), asyncio.Event()

    async def think(_: web.Request) -> web.StreamResponse:
        asked.release()
        await never.wait()
        raise AssertionError

    guarded.session.handler = think
    for number in range(7):
        async with asyncio.timeout(30):
            trying = asyncio.create_task(try_password(guarded, "wrong", f"p{number}@example.com"))
            await asked.acquire()
            trying.cancel()
            await asyncio.wait([trying])
    assert (await try_password(guarded, "right", "q@example.com"))[0] == 429
    guarded.session.handler = sign_in
    assert (await try_password(guarded, "right", **{"X-Forwarded-For": "192.0.2.9"}))[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"Content-Length: 9000\r\n\r\n", 413),
        (b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415),
        (b"Content-Length: 3\r\n\r\n\xff\xfe{", 401),
        (b"Content-Length: 3\r\n\r\nabc", 401),
    ],
)
async def test_a_sign_in_that_cannot_be_read_counts_for_its_address(
    guarded: GatewayFixture, sent: bytes, status: int
) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=401)

    guarded.session.handler = refuse
    for _ in range(7):
        assert await talk(guarded, b"POST /auth/login HTTP/1.1\r\nHost: x\r\n" + sent) == status
    assert (await try_password(guarded, "right"))[0] == 429


async def test_a_service_that_is_away_costs_nobody_a_try(guarded: GatewayFixture) -> None:
    await guarded.session.stop()
    assert [(await try_password(guarded, "wrong"))[0] for _ in range(5)] == [503] * 5
    await guarded.session.start()
    assert (await try_password(guarded, "wrong"))[0] == 401


async def test_there_is_no_way_around_by_compressing_or_padding(guarded: GatewayFixture) -> None:
    body = b'{"email":"ada@example.com","password":"wrong"}'
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    async with guarded.http.post("/auth/login", data=gzip.compress(body), headers=packed) as answer:
        assert answer.status == 415
    async with guarded.http.post("/auth/login", data=body + b" " * 20_000) as answer:
        assert answer.status == 413
    assert guarded.session.seen == 0


@pytest.mark.parametrize("body", [b"", b"no json", b'{"email":7}', b'{"email":"nobody"}', b"[]"])
async def test_what_names_nobody_is_for_the_service_to_refuse(gateway: GatewayFixture, body: bytes) -> None:
    async with gateway.http.post("/auth/login", data=body) as answer:
        assert (answer.status, (await answer.json())["size"]) == (200, len(body))


async def test_a_chunked_sign_in_is_counted_as_well(guarded: GatewayFixture) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"email":"ada@example.com",'
        yield b'"password":"wrong"}'

    headers = {"Content-Type": "application/json"}
    for expected in (401, 401, 401, 429):
        async with guarded.http.post("/auth/login", data=pieces(), headers=headers) as answer:
            assert answer.status == expected
