"""How the services behind us are, asked all at once."""

import asyncio
from typing import Any, Final

import orjson
from aiohttp import ClientError

from services.gateway.upstreams.pools import Pool, Upstreams

_DEADLINE: Final = 1.0


async def probe_all(upstreams: Upstreams) -> dict[str, dict[str, Any]]:
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
