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
        services = await _probe_all(self._upstreams)
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
        return metrics()


def _degraded(not_ready: list[str], services: dict[str, Any]) -> web.Response:
    envelope = {
        "success": False,
        "error": f"Not ready: {', '.join(not_ready)}",
        "code": "degraded",
        "data": {"status": "degraded", "services": services},
        "timestamp": int(time.time()),
    }
    return web.Response(body=orjson.dumps(envelope), status=503, content_type="application/json")


async def _probe_all(upstreams: Upstreams) -> dict[str, dict[str, Any]]:
    """Service -> {"status": "ok" | "unavailable" | "unreachable", "dependencies": {name: status}}."""
    pools = upstreams.all
    states = await asyncio.gather(*(_probe(pool) for pool in pools))
    return {pool.name: state for pool, state in zip(pools, states, strict=True)}


async def _probe(pool: Pool) -> dict[str, Any]:
    try:
        async with (
            asyncio.timeout(_DEADLINE),
            pool.http.get(pool.url("/readyz")) as answer,
        ):
            document = orjson.loads(await answer.read())
            status = "ok" if answer.status == 200 else "unavailable"
            return {"status": status, "dependencies": _public(document["dependencies"])}
    except (TimeoutError, ClientError, OSError, ValueError, KeyError, AttributeError, TypeError):
        return {"status": "unreachable", "dependencies": {}}


def _public(dependencies: dict[str, str]) -> dict[str, str]:
    """Whether each is well; what exactly is wrong may name hosts, and stays in the service's own /readyz."""
    return {name: "ok" if state == "ok" else "unavailable" for name, state in dependencies.items()}
