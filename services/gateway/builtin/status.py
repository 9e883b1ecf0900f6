"""/health for everybody; /healthz, /readyz and /metrics for whoever runs the gateway."""

import time
from typing import Any

import orjson
from aiohttp import web

from services.gateway.probing import probe_all
from services.gateway.routing.target import Target
from services.gateway.upstreams.pools import Upstreams
from shared.http.reply import Reply, render
from shared.runtime.health import Health
from shared.runtime.metrics import exposition


class StatusOperations:
    def __init__(self, upstreams: Upstreams, health: Health):
        self._upstreams = upstreams
        self._health = health

    async def health(self, _: web.BaseRequest, __: Target) -> web.StreamResponse:
        """200 with data {status: "ok", services} while every service is ready; else 503, "degraded"."""
        services = await probe_all(self._upstreams)
        ailing = [name for name, state in services.items() if state["status"] != "ok"]
        if not ailing:
            return render(Reply({"status": "ok", "services": services}), 200)
        return _degraded(ailing, services)

    async def healthz(self, _: web.BaseRequest, __: Target) -> web.StreamResponse:
        return web.json_response({"status": "alive"})

    async def readyz(self, _: web.BaseRequest, __: Target) -> web.StreamResponse:
        """Whether this process takes requests. The services do not count: see docs/adr/0032."""
        ready, document = await self._health.readiness()
        return web.json_response(document, status=200 if ready else 503)

    async def metrics(self, _: web.BaseRequest, __: Target) -> web.StreamResponse:
        body, content_type = exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})


def _degraded(ailing: list[str], services: dict[str, Any]) -> web.Response:
    envelope = {
        "success": False,
        "error": f"Not ready: {', '.join(ailing)}",
        "code": "degraded",
        "data": {"status": "degraded", "services": services},
        "timestamp": int(time.time()),
    }
    return web.Response(body=orjson.dumps(envelope), status=503, content_type="application/json")
