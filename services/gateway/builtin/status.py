"""/health for clients; /healthz, /readyz and /metrics for operators."""

import asyncio
import time
from typing import Any, Final

import orjson
from aiohttp import ClientError, web

from services.gateway.routing.target import RequestTarget
from services.gateway.upstreams.pools import Pool, Upstreams
from shared.http.reply import Reply, alive, metrics, readiness, render
from shared.runtime.health import Health

_DEADLINE: Final = 1.0


class StatusOperations:
    def __init__(self, upstreams: Upstreams, health: Health):
        self._upstreams = upstreams
        self._health = health

    async def health(self, _: web.BaseRequest, __: RequestTarget) -> web.StreamResponse:
        """200 with data {status: "ok", services} while every service is ready; else 503, "degraded"."""
        pools = self._upstreams.all
        states = await asyncio.gather(*map(_probe, pools))
        services = {pool.name: state for pool, state in zip(pools, states, strict=True)}
        not_ready = [name for name, state in services.items() if state["status"] != "ok"]
        if not not_ready:
            return render(Reply({"status": "ok", "services": services}), 200)
        return _degraded(not_ready, services)

    async def healthz(self, _: web.BaseRequest, __: RequestTarget) -> web.StreamResponse:
        return alive()

    async def readyz(self, _: web.BaseRequest, __: RequestTarget) -> web.StreamResponse:
        """Whether this process takes requests. The services do not count: see docs/adr/0032."""
        return await readiness(self._health)

    async def metrics(self, _: web.BaseRequest, __: RequestTarget) -> web.StreamResponse:
        return await metrics(self._health)


def _degraded(not_ready: list[str], services: dict[str, Any]) -> web.Response:
    envelope = {
        "success": False,
        "error": f"Not ready: {', '.join(not_ready)}",
        "code": "degraded",
        "data": {"status": "degraded", "services": services},
        "timestamp": int(time.time()),
    }
    return web.Response(body=orjson.dumps(envelope), status=503, content_type="application/json")


async def _probe(pool: Pool) -> dict[str, Any]:
    """{"status": "ok" | "unavailable" | "unreachable", "dependencies": {name: "ok" | "unavailable"}}.

    What exactly is wrong with a dependency may name hosts, and stays in the service's own /readyz.
    """
    try:
        async with asyncio.timeout(_DEADLINE), pool.http.get(pool.url("/readyz")) as answer:
            document = orjson.loads(await answer.read())
            states = {name: _public(state == "ok") for name, state in document["dependencies"].items()}
            return {"status": _public(answer.status == 200), "dependencies": states}
    except (TimeoutError, ClientError, OSError, ValueError, KeyError, AttributeError, TypeError):
        return {"status": "unreachable", "dependencies": {}}


def _public(well: bool) -> str:
    return "ok" if well else "unavailable"
