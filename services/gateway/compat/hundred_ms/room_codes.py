"""Room codes: short names for a role in a room, each of which is exchanged for a join token."""

from collections.abc import Mapping, Sequence
from itertools import dropwhile
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import StringConstraints

from services.gateway.compat.hundred_ms.paging import DEFAULT_LIMIT, Limit, respond_with_page
from services.gateway.compat.hundred_ms.roles import NATIVE_ROLES
from services.gateway.compat.hundred_ms.schemas import AuthToken, HundredMsRoomCode
from services.gateway.compat.hundred_ms.validation import read_body, read_query
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_room
from services.gateway.compat.rendering import respond
from services.gateway.routing.table import Policy
from shared.errors import NotFound
from shared.http import WRITE, Body, Query
from shared.ids import is_room_code

Native = Mapping[str, Any]

operations: Final = ForeignOperations("/v2")

_EXCHANGE: Final = Policy(body_limit=8 * 1024, takes_code=True, keeps_cache=True)


class CodeListQuery(Query):
    """`start`: the code that the page follows."""

    role: str | None = None
    enabled: bool | None = None
    limit: Limit = DEFAULT_LIMIT
    start: str | None = None


class CodeUpdate(Body):
    code: str
    enabled: bool


class HundredMsCodeExchange(Body):
    code: str
    user_id: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None


@operations.post("/room-codes/room/{room_id}", scope=WRITE)
async def create_codes(request: ForeignRequest) -> web.Response:
    """One for each role; those that are there already are kept."""
    made = await request.native.post("session", await _codes_path(request), {})
    return respond({"data": [_shown(one) for one in made["codes"]]})


@operations.post("/room-codes/room/{room_id}/role/{role}", scope=WRITE)
async def create_code(request: ForeignRequest) -> web.Response:
    role = request.parameters["role"]
    if role not in NATIVE_ROLES:
        raise NotFound.of("role")
    made = await request.native.post("session", await _codes_path(request), {"role": role})
    return respond(_shown(made["codes"][0]))


@operations.get("/room-codes/room/{room_id}", scope=WRITE)
async def list_codes(request: ForeignRequest) -> web.Response:
    """All of them fit on a page. Whoever sees a code gets in, which is more than reading."""
    query = read_query(request, CodeListQuery)
    wanted = {"role": query.role, "enabled": query.enabled}
    if query.role is not None and query.role not in NATIVE_ROLES:
        return respond_with_page([], None, query.limit)
    found = await request.native.get("session", await _codes_path(request), wanted)
    shown = [_shown(one) for one in found["codes"]]
    return respond_with_page(_after(shown, query.start), None, query.limit)


@operations.post("/room-codes/code", scope=WRITE)
async def update_code(request: ForeignRequest) -> web.Response:
    body = read_body(request, CodeUpdate)
    path = f"/room_codes/{_code(body.code)}"
    await _check_own(request, path)
    return respond(_shown(await request.native.patch("session", path, {"enabled": body.enabled})))


@operations.post("/token", scope=None, policy=_EXCHANGE)
async def exchange_code(request: ForeignRequest) -> web.Response:
    """LiveKit's join token."""
    body = read_body(request, HundredMsCodeExchange)
    path = f"/room_codes/{_code(body.code)}/exchange"
    who = {} if body.user_id is None else {"external_user_id": body.user_id}
    issued = await request.native.post("session", path, who)
    return respond(AuthToken(token=issued["livekit_token"]).model_dump())


async def _codes_path(request: ForeignRequest) -> str:
    """Of the caller's own room; raises `NotFound`."""
    room = await own_room(request, request.parameters["room_id"])
    return f"/rooms/{room['id']}/codes"


async def _check_own(request: ForeignRequest, path: str) -> None:
    """Raises `NotFound` for a code of somebody else's room."""
    code = await request.native.get("session", path)
    try:
        await own_room(request, code["room_id"])
    except NotFound:
        raise NotFound.of("room_code") from None


def _code(code: str) -> str:
    if not is_room_code(code):
        raise NotFound.of("room_code")
    return code


def _after(codes: Sequence[Native], start: str | None) -> Sequence[Native]:
    if start is None:
        return codes
    return list(dropwhile(lambda one: one["code"] != start, codes))[1:]


def _shown(code: Native) -> dict[str, Any]:
    return HundredMsRoomCode.model_validate(code).model_dump()
