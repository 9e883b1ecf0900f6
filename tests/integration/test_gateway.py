"""The gateway on the running stack: each way through it, once, on the real services."""

import asyncio
import base64
import signal
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from deploy.local.stack import Stack
from tests.running_stack import RunningStack

_VIEWERS = "/sessions/0190b5b0-7c5c-7000-8000-000000000001/viewers"
_DEADLINE = aiohttp.ClientTimeout(total=20)


@pytest.fixture(scope="module")
async def http(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(stack.base_url, timeout=_DEADLINE) as session:
        yield session


@pytest.fixture(scope="module")
async def bearer(http: aiohttp.ClientSession, stack: Stack) -> dict[str, str]:
    return await _sign_in(http, stack.host.email, stack.host.password)


@pytest.fixture(scope="module")
async def administrator(http: aiohttp.ClientSession, stack: Stack) -> dict[str, str]:
    return await _sign_in(http, stack.admin.email, stack.admin.password)


async def test_health_shows_every_service_and_what_it_depends_on(http: aiohttp.ClientSession) -> None:
    status, body = await _get(http, "/health")
    assert status == 200
    services = body["data"]["services"]
    assert set(services) == {"session", "egress", "attendance"}
    for state in services.values():
        assert state["status"] == "ok"
        assert {"mongodb", "rabbitmq"} <= set(state["dependencies"])


async def test_the_merged_document_has_every_service_s_operations(http: aiohttp.ClientSession) -> None:
    _, document = await _get(http, "/openapi.json")
    paths = document["paths"]
    assert {"/rooms/{id}", "/webhooks/livekit", "/sessions/{id}/attendance", "/health"} <= set(paths)
    assert "/libraries/{library_id}/rooms/{id}" in paths
    assert not [path for path in paths if path.startswith("/internal")]


async def test_an_api_key_acts_in_both_its_forms(http: aiohttp.ClientSession, stack: Stack) -> None:
    key = stack.api_key
    packed = base64.b64encode(f"{key.id}:{key.secret}".encode()).decode()
    for headers in ({"X-API-Key": f"{key.id}.{key.secret}"}, {"Authorization": f"Basic {packed}"}):
        status, body = await _get(http, "/presets", headers)
        assert status == 200, body
    status, body = await _get(http, "/presets", {"X-API-Key": f"{key.id}.wrong"})
    assert (status, body["code"]) == (401, "api_key_invalid")


async def test_a_deleted_key_stops_within_a_second(
    http: aiohttp.ClientSession, stack: Stack, bearer: dict[str, str], administrator: dict[str, str]
) -> None:
    _, me = await _get(http, "/auth/me", bearer)
    wanted = {"user_id": me["data"]["id"], "name": "Short-lived"}
    async with http.post("/admin/api-keys", json=wanted, headers=administrator) as answer:
        key = (await answer.json())["data"]
    shown = {"X-API-Key": f"{key['id']}.{key['secret']}"}
    assert (await _get(http, "/presets", shown))[0] == 200
    async with http.delete(f"/admin/api-keys/{key['id']}", headers=administrator) as answer:
        assert answer.status == 200
    loop = asyncio.get_running_loop()
    deleted_at = loop.time()
    while (await _get(http, "/presets", shown))[0] == 200:
        assert loop.time() - deleted_at < 1


async def test_a_room_is_found_under_its_own_library_alone(
    http: aiohttp.ClientSession, stack: Stack, bearer: dict[str, str], administrator: dict[str, str]
) -> None:
    async with http.post(
        f"/libraries/{stack.library_id}/rooms", json={"title": "Through the mirror"}, headers=bearer
    ) as answer:
        assert answer.status == 201, await answer.text()
        room = (await answer.json())["data"]
    room_id = room["room"]["id"] if "room" in room else room["id"]
    other = {"organization_id": stack.organization_id, "name": "Another", "visibility": "public"}
    async with http.post("/admin/libraries", json=other, headers=administrator) as answer:
        elsewhere = (await answer.json())["data"]["id"]
    assert (await _get(http, f"/libraries/{stack.library_id}/rooms/{room_id}"))[0] == 200
    assert (await _get(http, f"/libraries/{elsewhere}/rooms/{room_id}"))[0] == 404
    assert (await _get(http, f"/rooms/{room_id}", {"X-Greenroom-Library": elsewhere}))[0] == 200


async def test_a_bad_signature_is_refused_by_the_webhook_door_itself(http: aiohttp.ClientSession) -> None:
    headers = {"Authorization": "forged", "Content-Type": "application/webhook+json"}
    async with http.post("/webhooks/livekit", data=b"{}", headers=headers) as answer:
        body = await answer.json()
    assert answer.status == 401, body


async def test_the_same_request_id_is_in_the_answer_of_the_service(http: aiohttp.ClientSession) -> None:
    async with http.get("/rooms", headers={"X-Request-Id": "from-the-client.1"}) as answer:
        assert answer.headers.getall("X-Request-Id") == ["from-the-client.1"]


async def test_a_service_that_is_down_leaves_the_others_to_their_work(
    running_stack: RunningStack, http: aiohttp.ClientSession, bearer: dict[str, str]
) -> None:
    async with running_stack.held("attendance"):
        status, health = await _get(http, "/health")
        assert (status, health["data"]["services"]["attendance"]["status"]) == (503, "unreachable")
        status, body = await _get(http, _VIEWERS, bearer)
        assert (status, body["code"]) == (503, "upstream_unreachable")
        assert (await _get(http, "/rooms"))[0] == 200
    assert (await _get(http, _VIEWERS, bearer))[0] == 404


async def test_a_service_that_is_frozen_is_a_deadline(
    running_stack: RunningStack, http: aiohttp.ClientSession, bearer: dict[str, str]
) -> None:
    running_stack.kill("attendance", signal.SIGSTOP)
    try:
        status, body = await _get(http, _VIEWERS, bearer)
    finally:
        running_stack.kill("attendance", signal.SIGCONT)
    assert (status, body["code"]) == (504, "deadline_exceeded")


async def _sign_in(http: aiohttp.ClientSession, email: str, password: str) -> dict[str, str]:
    async with http.post("/auth/login", json={"email": email, "password": password}) as answer:
        body = await answer.json()
    return {"Authorization": f"Bearer {body['data']['access_token']}"}


async def _get(
    http: aiohttp.ClientSession, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    async with http.get(path, headers=headers) as answer:
        return answer.status, await answer.json()
