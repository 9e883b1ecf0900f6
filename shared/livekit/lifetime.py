"""LiveKit in the life of a service: its state on /readyz, its connections closed at the end."""

from collections.abc import AsyncIterator, Callable

from aiohttp import web

from shared.livekit.ports import LiveKit
from shared.runtime.health import HEALTH


def livekit_lifetime(livekit: LiveKit) -> Callable[[web.Application], AsyncIterator[None]]:
    """A `cleanup_ctx` for an application that calls LiveKit; add it before what uses LiveKit."""

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        app[HEALTH].add("livekit", livekit.ping)
        yield
        await livekit.close()

    return lifetime
