"""The real gateway on loopback, before services that do what a test tells them."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from services.session.identity.keys.management import access_key
from shared.access.identity import Caller, TokenIssuer
from shared.access.revocations import Revoked
from shared.clock import SystemClock
from shared.contracts.states import UserRole
from shared.http.internal import InternalCalls
from shared.http.session_service import REVOCATIONS_PATH
from shared.runtime.health import Health
from shared.runtime.rotating_secret import RotatingSecret

ROOM = "0190b5b0-7c5c-7000-8000-000000000001"
LIBRARY = "0190b5b0-7c5c-7000-8000-00000000000a"
KEY_ID = "0190b5b0-7c5c-7000-8000-0000000000ff"
SECRET = "sesame-of-at-least-thirty-two-characters"
CALLER = Caller("u-1", "s-1", "o-1", UserRole.HOST, "Ada")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_INTERNAL_SECRET = "internal-secret-of-the-gateway-tests"
_KEY = Ed25519PrivateKey.generate()


async def echo(request: web.Request) -> web.StreamResponse:
    """Answers what it was asked."""
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "target": request.raw_path,
            "headers": {name.lower(): request.headers.getall(name) for name in request.headers},
            "size": len(body),
            "body": body[:100].decode("latin-1"),
        }
    )


class Endless:
    """A handler whose answer never ends; `over` is set when the gateway no longer wants it."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        finally:
            self.over.set()


@dataclass
class FakeService:
    """A service whose every operation is `handler`."""

    name: str
    handler: Handler = echo
    ready: bool = True
    seen: int = 0
    api_keys: dict[str, str] = field(default_factory=dict)
    # Whom the keys identify.
    caller: Caller = CALLER
    exchanges: int = 0
    # What answers in place of an exchange of keys.
    failing_exchange: Callable[[], Awaitable[web.StreamResponse]] | None = None
    runner: web.AppRunner | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/openapi.json", self._openapi)
        app.router.add_post("/internal/api-keys/exchange", self._exchange)
        app.router.add_post("/internal/management-tokens/exchange", self._exchange_management)
        app.router.add_get(REVOCATIONS_PATH, self._revoked)
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.seen += 1
        return await self.handler(request)

    async def _revoked(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"data": {"revoked": []}})

    async def _readyz(self, _: web.Request) -> web.StreamResponse:
        state = "ok" if self.ready else "OperationFailure: mongodb://secret@host"
        return web.json_response(
            {"status": "?", "dependencies": {"mongodb": state}}, status=200 if self.ready else 503
        )

    async def _openapi(self, _: web.Request) -> web.StreamResponse:
        operation = {
            "operationId": f"of_{self.name}",
            "responses": {},
            "x-library-scoped": self.name == "session",
        }
        return web.json_response(
            {"paths": {f"/{self.name}": {"get": operation}}, "components": {"schemas": {}}}
        )

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        self.exchanges += 1
        if self.failing_exchange is not None:
            return await self.failing_exchange()
        InternalCalls(RotatingSecret(_INTERNAL_SECRET), SystemClock()).verify(
            request.headers.get("Authorization"), "session"
        )
        shown = await request.json()
        if self.api_keys.get(shown["id"]) != shown["secret"]:
            return web.json_response({"success": False}, status=401)
        return self._exchanged()

    async def _exchange_management(self, request: web.Request) -> web.StreamResponse:
        self.exchanges += 1
        InternalCalls(RotatingSecret(_INTERNAL_SECRET), SystemClock()).verify(
            request.headers.get("Authorization"), "session"
        )
        shown = (await request.json())["token"]
        secret = self.api_keys.get(access_key(shown), "")
        try:
            jwt.decode(shown, secret, algorithms=["HS256"])
        except jwt.PyJWTError:
            return web.json_response({"success": False}, status=401)
        return self._exchanged()

    def _exchanged(self) -> web.Response:
        expires_at = "2030-01-01T00:00:00Z"
        return web.json_response(
            {"data": {"access_token": token(caller=self.caller), "expires_at": expires_at}}
        )


class NobodyRevoked:
    """Instead of asking each second a service that may be a script of bytes."""

    async def since(self, moment: datetime) -> list[Revoked]:
        return []

    async def close(self) -> None: ...


@dataclass
class GatewayFixture:
    session: FakeService
    egress: FakeService
    attendance: FakeService
    http: ClientSession
    url: str
    port: int
    health: Health

    def exactly(self, target: str) -> URL:
        """The URL of `target` as it stands: clients else tidy up what they ask for."""
        return URL(self.url + target, encoded=True)


def token(lifetime: timedelta = timedelta(minutes=5), caller: Caller = CALLER) -> str:
    return TokenIssuer(_KEY.private_bytes_raw(), "k1", SystemClock()).issue(caller, lifetime)[0]


def bearer(lifetime: timedelta = timedelta(minutes=5)) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(lifetime)}"}


@asynccontextmanager
async def running(**settings: object) -> AsyncIterator[GatewayFixture]:
    """The gateway with `settings` over the tests' own, and a client of it."""
    services = [FakeService(name) for name in ("session", "egress", "attendance")]
    for service in services:
        await service.start()
    gateway = build(GatewaySettings.model_validate(_settings(services) | settings), NobodyRevoked())
    await gateway.runner.setup()
    site = web.TCPSite(gateway.runner, "127.0.0.1", 0)
    await site.start()
    port = gateway.runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}"
    http = ClientSession(
        url, timeout=ClientTimeout(total=20), cookie_jar=DummyCookieJar(), auto_decompress=False
    )
    try:
        session, egress, attendance = services
        yield GatewayFixture(session, egress, attendance, http, url, port, gateway.health)
    finally:
        await http.close()
        await gateway.runner.cleanup()
        assert gateway.close is not None
        await gateway.close()
        for service in services:
            await service.stop()


def _settings(services: list[FakeService]) -> dict[str, object]:
    public = base64.urlsafe_b64encode(_KEY.public_key().public_bytes_raw()).decode()
    return {
        "environment": "test",
        "internal_secret": _INTERNAL_SECRET,
        "identity_public_keys": {"k1": public},
        "drain_seconds": 0.2,
        "upstream_deadline_seconds": 2.0,
        **{f"{service.name}_url": service.url for service in services},
    }


async def talk(gateway: GatewayFixture, sent: bytes) -> int:
    """The status of the answer to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    async with asyncio.timeout(20):
        writer.write(sent)
        line = await reader.readline()
    writer.close()
    return int(line.split()[1])
