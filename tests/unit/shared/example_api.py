"""A small service on the common HTTP library, to try the library on."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated, Any, Final

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from shared.access.identity import Caller, TokenIssuer
from shared.contracts.states import UserRole
from shared.errors import Conflict, NotFound, TooManyRequests
from shared.http import (
    ADMIN,
    ANONYMOUS,
    BEARER,
    HOST,
    INTERNAL,
    PUBLIC,
    READ,
    SIGNED,
    WRITE,
    Body,
    Data,
    Query,
    Reply,
    Request,
    Routes,
    ok,
    service_app,
)
from shared.http.app import AUDIT, IDEMPOTENCY, INTERNAL_CALLS
from shared.http.audit import AuditTrail
from shared.http.idempotency import IdempotencyKeys
from shared.http.schema import Page, Title
from shared.persistence.outbox import Outbox
from shared.runtime.health import HEALTH
from shared.runtime.settings import ServiceSettings
from tests.fakes.fake_clock import FakeClock
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo

_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
MADE: Final = web.AppKey("made", dict[str, str])

routes = Routes("ExampleApi")


class Maker(Body):
    name: Title


class NewThing(Body):
    """A thing to make."""

    title: Title
    price: Annotated[int, Field(ge=1, le=100)] = 1
    maker: Maker | None = None
    tags: Annotated[list[Title], Field(max_length=2, default_factory=list)]


class Thing(Data):
    id: str
    title: str
    made_by: str | None


class Things(Data):
    things: list[Thing]
    page: int
    limit: int


@routes.post("/things", access=BEARER, scope=WRITE, status=201, mirrored=True, idempotent=True)
async def make_thing(request: Request, body: NewThing) -> Reply[Thing]:
    """Make a thing.

    It is kept.
    """
    made = request.service(MADE)
    made.setdefault(request.reservation.id, body.title)
    return Reply(Thing(id=request.reservation.id, title=body.title, made_by=request.caller.user_id))


@routes.get("/things", access=PUBLIC, scope=READ)
async def list_things(request: Request, query: Page) -> Reply[Things]:
    """List things."""
    viewer = request.viewer.user_id if request.viewer else None
    things = [Thing(id=id, title=title, made_by=viewer) for id, title in request.service(MADE).items()]
    return Reply(Things(things=things, page=query.page, limit=query.limit))


@routes.post("/things/refused", access=BEARER, scope=WRITE, status=201, idempotent=True)
async def make_nothing(request: Request) -> Reply[None]:
    """Be refused."""
    raise Conflict("There are enough things", code="enough")


@routes.post("/things/renamed", access=BEARER, scope=WRITE, idempotent=True)
async def rename_things(request: Request) -> Reply[None]:
    """Create nothing."""
    return ok()


@routes.get("/things/{id}", access=PUBLIC, scope=READ)
async def get_thing(request: Request) -> Reply[Thing]:
    """Get a thing, in a library where one is named."""
    return Reply(Thing(id=request.path_id(), title=request.library_id or "none", made_by=None))


@routes.get("/pass", access=BEARER, scope=WRITE)
async def get_pass(request: Request) -> Reply[None]:
    """A read by its method, whose answer lets the caller act."""
    return ok()


@routes.post("/search", access=BEARER, scope=READ)
async def search(request: Request) -> Reply[None]:
    """A write by its method that only shows something."""
    return ok()


@routes.post("/sign-in", access=ANONYMOUS)
async def sign_in(request: Request) -> Reply[None]:
    """Whatever is sent along, nobody is asked for."""
    assert request.viewer is None
    return ok()


@routes.delete("/things/{id}", access=ADMIN, scope=WRITE)
async def forget_thing(request: Request) -> Reply[None]:
    """Forget a thing."""
    raise Conflict(f"{request.path_id()} is not to be forgotten", code="unforgettable")


class Start(Body):
    refuse_with: str = ""


@routes.post("/sessions/{id}/start", access=HOST, scope=WRITE)
async def start_session(request: Request, body: Start) -> Reply[None]:
    """Start, or be refused."""
    match body.refuse_with:
        case "conflict":
            raise Conflict("Another session of this room is live", code="room_busy")
        case "unknown":
            raise NotFound.of("session")
    return ok()


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Search(Query):
    color: Annotated[list[Color], Field(max_length=2)] = []  # noqa: RUF012
    maker: list[str] | None = None


class Searched(Data):
    colors: list[Color]
    makers: list[str] | None


@routes.get("/search", access=PUBLIC, scope=READ)
async def search_things(request: Request, query: Search) -> Reply[Searched]:
    """What is searched for."""
    return Reply(Searched(colors=query.color, makers=query.maker))


@routes.get("/slow", access=PUBLIC, scope=READ)
async def slow(request: Request) -> Reply[None]:
    """Refused with a time."""
    raise TooManyRequests("Slowly", retry_after=3)


@routes.get("/broken", access=PUBLIC, scope=READ)
async def broken(request: Request) -> Reply[None]:
    """A bug."""
    raise ZeroDivisionError("a secret of the inside")


@routes.post("/door", access=SIGNED)
async def door(request: Request) -> web.StreamResponse:
    """Looks after its own signature."""
    return web.json_response({"length": len(await request.raw.read())})


@routes.post("/pictures", access=BEARER, scope=WRITE, status=201, uploads=("image/png",), idempotent=True)
async def send_picture(request: Request) -> Reply[Thing]:
    """Reads its body by itself."""
    title = f"{len(await request.raw.read())} bytes"
    request.service(MADE).setdefault(request.reservation.id, title)
    return Reply(Thing(id=request.reservation.id, title=title, made_by=request.caller.user_id))


@routes.get("/internal/things", access=INTERNAL)
async def internal(request: Request) -> Reply[None]:
    """For services."""
    return ok()


class ExampleApi:
    """The running service, and who calls it."""

    def __init__(
        self,
        client: TestClient[Any, Any],
        app: web.Application,
        clock: FakeClock,
        outbox: Outbox,
        bus: MemoryBus,
    ):
        self.client = client
        self.outbox = outbox
        self.bus = bus
        self.app = app
        self.clock = clock
        self._issuer = TokenIssuer(_KEY.private_bytes_raw(), "k1", clock)

    def bearer(self, user_id: str = "anna", **fields: Any) -> dict[str, str]:
        own = {"sign_in_id": "s", "organization_id": "o", "role": UserRole.HOST, "username": "Anna"}
        token, _ = self._issuer.issue(Caller(user_id=user_id, **own | fields))
        return {"Authorization": f"Bearer {token}"}

    def internal(self, audience: str = "api") -> dict[str, str]:
        return {"Authorization": self.app[INTERNAL_CALLS].sign(audience)}

    async def call(self, method: str, path: str, **sent: Any) -> tuple[int, Any, Any]:
        """Status, JSON and headers of the answer."""
        async with self.client.request(method, path, **sent) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else None, response.headers


@asynccontextmanager
async def open_example_api(
    *, started: bool = True, environment: str = "development"
) -> AsyncIterator[ExampleApi]:
    clock = FakeClock()
    public = base64.urlsafe_b64encode(_KEY.public_key().public_bytes_raw()).decode()
    settings = ServiceSettings.model_validate(
        {
            "environment": environment,
            "identity_public_keys": {"k1": public},
            "internal_secret": "an internal secret of some length",
        }
    )
    app = service_app("api", settings, [routes], clock)
    mongo, bus = memory_mongo(), MemoryBus(clock=clock)
    app[IDEMPOTENCY] = IdempotencyKeys(mongo, clock)
    outbox = Outbox(bus, clock, source="/greenroom/api")
    app[AUDIT] = AuditTrail(mongo, outbox, clock, service="api")
    app[MADE] = {}
    app[HEALTH].started = started
    async with TestClient(TestServer(app)) as client:
        yield ExampleApi(client, app, clock, outbox, bus)
