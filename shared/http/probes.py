"""/healthz, /readyz and /metrics, the same for every process."""

from aiohttp import web

from shared.runtime.health import Health
from shared.runtime.metrics import exposition


def alive() -> web.Response:
    return web.json_response({"status": "alive"})


async def readiness(health: Health) -> web.Response:
    """200, or 503 while a dependency is away."""
    ready, document = await health.readiness()
    return web.json_response(document, status=200 if ready else 503)


def metrics() -> web.Response:
    body, content_type = exposition()
    return web.Response(body=body, headers={"Content-Type": content_type})
