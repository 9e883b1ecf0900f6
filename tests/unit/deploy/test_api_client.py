"""Calls of the gateway, and how their failures read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from deploy.api_client import ApiClient, CallFailed
from deploy.demo.api import SessionData

REFUSAL = {
    "success": False,
    "error": "The request has invalid fields",
    "code": "validation_failed",
    "errors": [{"field": "title", "code": "too_short", "message": "is too short"}],
    "timestamp": 1,
}


async def echo(request: web.Request) -> web.Response:
    told = request.headers.get("Authorization", ""), request.query.get("limit", "")
    return web.json_response({"success": True, "data": {"id": "|".join(told)}, "timestamp": 1})


async def refuse(_: web.Request) -> web.Response:
    return web.json_response(REFUSAL, status=422, headers={"X-Request-Id": "gw-17"})


async def page(_: web.Request) -> web.Response:
    return web.Response(text="<html>", status=502)


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.add_routes([web.get("/echo", echo), web.post("/refuse", refuse), web.get("/page", page)])
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def http(server: TestServer) -> AsyncIterator[ApiClient]:
    async with aiohttp.ClientSession() as client:
        yield ApiClient(str(server.make_url("/")), client)


async def test_the_data_of_the_envelope_is_read(http: ApiClient) -> None:
    found = await http.with_token("t").read(str, "GET", "/echo", query={"limit": 5}, field="id")
    assert found == "Bearer t|5"


async def test_a_refusal_names_call_status_code_fields_and_request(http: ApiClient) -> None:
    with pytest.raises(CallFailed) as caught:
        await http.call("POST", "/refuse", body={})
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (
        422,
        "validation_failed",
        "gw-17",
    )
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("POST http://127.0.0.1:")
    assert first.endswith("/refuse failed with 422 validation_failed: The request has invalid fields")
    assert rest == ["  title: is too short (too_short)", "  request id: gw-17"]


async def test_an_answer_that_is_not_the_envelope_is_shown(http: ApiClient) -> None:
    with pytest.raises(CallFailed, match=r"failed with 502: not our JSON: '<html>'"):
        await http.call("GET", "/page")


async def test_data_of_another_shape_is_refused(http: ApiClient) -> None:
    with pytest.raises(CallFailed, match="unexpected answer"):
        await http.read(SessionData, "GET", "/echo")
    with pytest.raises(CallFailed, match="unexpected answer"):
        await http.read(str, "GET", "/echo", field="room.id")


async def test_nobody_there_is_a_failed_call() -> None:
    async with aiohttp.ClientSession() as client:
        with pytest.raises(CallFailed, match=r"GET http://127\.0\.0\.1:\d+/x failed: Cannot connect"):
            await ApiClient(f"http://127.0.0.1:{unused_port()}", client).call("GET", "/x")
