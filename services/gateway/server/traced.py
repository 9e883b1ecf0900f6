"""The gateway's requests as steps of traces, where traces begin."""

from collections.abc import Callable

from aiohttp import web

from services.gateway.server.access_log import UNLOGGED
from services.gateway.server.connections import Handle
from shared.http.spans import answering
from shared.runtime import tracing


def traced(handle: Handle, is_trusted: Callable[[str], bool]) -> Handle:
    """`handle` with each request as a step of a trace, if tracing is on; else `handle` itself.

    The trace that a request came with is continued if it came from a trusted proxy. Anybody else could have
    all that they send recorded, or write into a trace that is not theirs: they get one of ours, with a link.
    """
    if not tracing.is_on():
        return handle

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        if request.path in UNLOGGED:
            return await handle(request)
        given = request.headers.get(tracing.HEADER)
        trusted = is_trusted(request.remote or "")
        links = [given] if given and not trusted else []
        with answering(request.method, parent=given if trusted else None, links=links):
            return await handle(request)

    return respond
