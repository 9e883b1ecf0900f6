"""Every operation of a service refuses direct callers as the gateway does."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.stack import Stack
from services.attendance.app import ALL_ROUTES as ATTENDANCE
from services.egress.app import ALL_ROUTES as EGRESS
from services.session.all_routes import ALL_ROUTES as SESSION
from shared.access.identity import Caller, TokenIssuer
from shared.clock import SystemClock
from shared.contracts.states import UserRole
from shared.http.internal import InternalCalls
from shared.http.routes import Access, Route
from shared.ids import new_id
from shared.runtime.rotating_secret import RotatingSecret
from tests.contract.api.accounts import sign_in
from tests.contract.api.client import Client, connect

_ROUTES_OF_SERVICES = {"session": SESSION, "egress": EGRESS, "attendance": ATTENDANCE}
# Centrifugo is refused in its own protocol, always with 200.
_OPEN = {Access.PUBLIC, Access.ANONYMOUS, Access.PROXY}
_USER = {Access.BEARER, Access.HOST, Access.MODERATOR, Access.ADMIN}
_NAMED = re.compile(r"\{\w+\}")
# What an inner network's header might be taken for.
_SPOOFED = {
    "X-Greenroom-Library": new_id(),
    "X-Greenroom-User": new_id(),
    "X-Greenroom-Caller": "administrator",
    "X-Greenroom-Internal": "1",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-User": "administrator",
    "X-Real-IP": "127.0.0.1",
}


def closed() -> Iterator[tuple[str, Route]]:
    """Every operation that is not for everybody, with its service; the internal ones too."""
    for service, tables in _ROUTES_OF_SERVICES.items():
        for table in tables:
            yield from ((service, route) for route in table if route.access not in _OPEN)


def foreign(service: str) -> dict[str, str]:
    """Credentials by what they pretend to be."""
    clock = SystemClock()
    caller = Caller(new_id(), new_id(), new_id(), UserRole.HOST, "Mallory", is_admin=True)
    forged, _ = TokenIssuer(Ed25519PrivateKey.generate().private_bytes_raw(), "local", clock).issue(caller)
    internal = InternalCalls(RotatingSecret("a secret that is not the installation's own"), clock).sign(
        service
    )
    return {"access token": f"Bearer {forged}", "internal call": internal, "Basic": "Basic YTpi"}


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16)) as http:
        yield http


async def status(http: aiohttp.ClientSession, base: str, route: Route, headers: dict[str, str]) -> int:
    path = _NAMED.sub(lambda _: new_id(), route.path)
    body = b"{}" if route.method in {"POST", "PATCH"} else None
    sent = headers | ({"Content-Type": "application/json"} if body else {})
    async with http.request(route.method, base + path, data=body, headers=sent) as answer:
        return answer.status


def base_of(stack: Stack, service: str) -> str:
    return f"http://127.0.0.1:{stack.processes[service].port}"


@pytest.mark.parametrize("entry", ["service", "gateway"])
async def test_nobody_and_forgers_are_refused(http: aiohttp.ClientSession, stack: Stack, entry: str) -> None:
    tries: list[tuple[str, Route, str, dict[str, str]]] = []
    for service, route in closed():
        base = base_of(stack, service) if entry == "service" else stack.base_url
        tries.append((base, route, "nobody", {}))
        tries.append((base, route, "spoofed headers", _SPOOFED))
        for what, header in foreign(service).items():
            tries.append((base, route, what, _SPOOFED | {"Authorization": header}))
    calls = [status(http, base, route, headers) for base, route, _, headers in tries]
    got = {
        (route.method, route.path, what): answer
        for (_, route, what, _), answer in zip(tries, await asyncio.gather(*calls), strict=True)
        # What is internal does not exist at the gateway.
        if answer != (404 if entry == "gateway" and route.access is Access.INTERNAL else 401)
    }
    assert got == {}


async def test_the_wrong_people_are_refused_by_the_service_itself(
    http: aiohttp.ClientSession, stack: Stack
) -> None:
    async with connect(stack.base_url) as through:
        host = await sign_in(Client(through), stack.host.email, stack.host.password)
    headers = _SPOOFED | {"Authorization": f"Bearer {host.access_token}"}
    wrong = [(s, r) for s, r in closed() if r.access is Access.ADMIN or r.access not in _USER]
    statuses = await asyncio.gather(*(status(http, base_of(stack, s), r, headers) for s, r in wrong))
    expected = [403 if route.access is Access.ADMIN else 401 for _, route in wrong]
    assert dict(zip([r.path for _, r in wrong], statuses, strict=True)) == dict(
        zip([r.path for _, r in wrong], expected, strict=True)
    )


async def test_a_refused_call_is_refused_before_its_body_is_read(
    http: aiohttp.ClientSession, stack: Stack
) -> None:
    """Nobody makes a service take in what it will refuse."""
    for service, path in (("session", "/rooms"), ("session", "/admin/users"), ("session", "/presets")):
        sent = b'{"title": "' + b"x" * 500_000
        async with http.post(base_of(stack, service) + path, data=sent) as answer:
            assert answer.status == 401
