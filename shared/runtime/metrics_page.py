"""/metrics: on the port of the requests, or on one of its own, which only Prometheus reaches."""

import asyncio

from aiohttp import web

from shared.runtime.health import Health
from shared.runtime.metrics import exposition


async def metrics_page(health: Health) -> web.Response:
    """The process's metrics, readiness as it is now among them."""
    await health.readiness()
    body, content_type = exposition()
    return web.Response(body=body, headers={"Content-Type": content_type})


async def serve_metrics(health: Health, host: str, port: int) -> None:
    """Serve them on this port until cancelled; raises OSError if it is not free."""

    async def page(_: web.Request) -> web.Response:
        return await metrics_page(health)

    app = web.Application()
    app.router.add_get("/metrics", page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    try:
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
