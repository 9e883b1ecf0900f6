"""The WHIP group: RFC 9725 for encoders, with a key in the address or as a bearer token."""

from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from services.session.whip.service import WhipService
from shared.errors import AppError, Unauthenticated, UnsupportedMediaType
from shared.http import ANONYMOUS, Reply, Request, Routes, ok
from shared.http.bodies import read_bytes
from shared.http.request import split_authorization
from shared.livekit.whip import SDP, SDP_FRAGMENT, WhipAnswer

routes = Routes("WHIP")

WHIP: Final = web.AppKey("whip", WhipService)


class EntityTagRequired(AppError):
    """428: the request must say which ICE session it is about."""

    status = 428
    code = "if_match_required"


@routes.post("/whip/{key}", access=ANONYMOUS, secret=("key",), status=201, uploads=(SDP,), refuses=(400,))
async def publish_by_whip(request: Request) -> web.StreamResponse:
    """Publish by WHIP.

    For encoders with a single field: this address is the `whip_url` of a started session. The answer's
    `Location` is the connection's own address; `DELETE` there ends it.
    """
    return await _publish(request, request.raw.match_info["key"])


@routes.post("/whip", access=ANONYMOUS, status=201, uploads=(SDP,), refuses=(400,))
async def publish_by_whip_with_token(request: Request) -> web.StreamResponse:
    """Publish by WHIP with a bearer token.

    For encoders that have a field for it: the `whip_bearer_token` of a started session. Otherwise like the
    address that holds the key.
    """
    scheme, key = split_authorization(request.raw.headers.get("Authorization", ""))
    if scheme != "bearer" or not key:
        raise Unauthenticated("Send Authorization: Bearer <whip_bearer_token>", code="encoder_key_invalid")
    return await _publish(request, key)


@routes.patch(
    "/whip/{key}/{connection}",
    access=ANONYMOUS,
    secret=("key",),
    uploads=(SDP_FRAGMENT,),
    refuses=(400, 412, 428),
)
async def change_whip_connection(request: Request) -> web.StreamResponse:
    """Add ICE candidates to a WHIP connection, or restart its ICE.

    With `If-Match`: the `ETag` of the ICE session that gets the candidates, or `*` to begin another.
    """
    ice_session = ", ".join(request.raw.headers.getall("If-Match", ())).strip().strip('"')
    if not ice_session:
        raise EntityTagRequired("Send If-Match with the ETag of the ICE session")
    fragment = await _read(request, SDP_FRAGMENT)
    key, connection = _named(request)
    answer = await request.service(WHIP).patch(key, connection, fragment, ice_session)
    return _answer(answer, SDP_FRAGMENT, status=200 if answer.description else 204)


@routes.delete("/whip/{key}/{connection}", access=ANONYMOUS, secret=("key",))
async def end_whip_connection(request: Request) -> Reply[None]:
    """End a WHIP connection."""
    await request.service(WHIP).end(*_named(request))
    return ok()


def _named(request: Request) -> tuple[str, str]:
    return request.raw.match_info["key"], request.raw.match_info["connection"]


async def _publish(request: Request, key: str) -> web.StreamResponse:
    made = await request.service(WHIP).connect(key, await _read(request, SDP))
    response = _answer(made.answer, SDP, status=201)
    response.headers["Location"] = made.url
    return response


async def _read(request: Request, content_type: str) -> str:
    """The body; raises `UnsupportedMediaType`. LiveKit judges its content."""
    if request.raw.content_type != content_type:
        raise UnsupportedMediaType(f"Send {content_type}")
    return (await read_bytes(request.raw)).decode(errors="replace")


def _answer(answer: WhipAnswer, content_type: str, *, status: int) -> web.Response:
    headers = CIMultiDict([("Link", link) for link in answer.ice_servers])
    if answer.ice_session:
        headers["ETag"] = f'"{answer.ice_session}"'
    if status == 204:
        return web.Response(status=status, headers=headers)
    # As bytes: no charset belongs to these types.
    return web.Response(
        status=status, headers=headers, body=answer.description.encode(), content_type=content_type
    )
