"""Asking the session service: signed, in time, and clear about what its silence means."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.http.internal import InternalCalls
from shared.http.session_service import HttpSessionOwner
from shared.runtime.rotating_secret import RotatingSecret
from tests.unit.attendance.builders import session

CALLS = InternalCalls(RotatingSecret("a secret between the services only"), SystemClock())
STATE = session()

Answer = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def asking(answer: Answer) -> AsyncIterator[HttpSessionOwner]:
    app = web.Application()
    app.router.add_get("/internal/sessions/{id}", answer)
    async with TestServer(app) as server:
        owner = HttpSessionOwner(str(server.make_url("/")), CALLS)
        try:
            yield owner
        finally:
            await owner.close()


async def test_a_session_that_is_there() -> None:
    async def answer(request: web.Request) -> web.Response:
        CALLS.verify(request.headers["Authorization"], "session")
        data = STATE.model_dump(mode="json")
        return web.json_response({"success": True, "data": data, "timestamp": 1})

    async with asking(answer) as owner:
        assert await owner.ask(STATE.id) == STATE


async def test_a_session_that_is_not() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"success": False}, status=404)

    async with asking(answer) as owner:
        assert await owner.ask(STATE.id) is None


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_an_owner_in_trouble(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with asking(answer) as owner:
        with pytest.raises(Unavailable):
            await owner.ask(STATE.id)


@pytest.mark.parametrize("body", ["no json", "{}", "[]", '{"data": {"id": 1}}', '{"data": null}'])
async def test_an_owner_that_makes_no_sense(body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async with asking(answer) as owner:
        with pytest.raises(Unavailable):
            await owner.ask(STATE.id)


async def test_an_owner_that_does_not_answer_in_time() -> None:
    over = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with asking(answer) as owner:
        async with asyncio.timeout(3):
            with pytest.raises(Unavailable):
                await owner.ask(STATE.id)
        over.set()


async def test_an_owner_that_is_not_there() -> None:
    owner = HttpSessionOwner("http://127.0.0.1:1", CALLS)
    with pytest.raises(Unavailable):
        await owner.ask(STATE.id)
    await owner.close()
