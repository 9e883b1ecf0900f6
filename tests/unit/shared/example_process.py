"""`python -m tests.unit.shared.example_process <how>`: a service that runs until it is stopped, or dies."""

import asyncio
import sys
from collections.abc import AsyncIterator

from aiohttp import web

from shared.clock import SystemClock
from shared.http import PUBLIC, READ, Reply, Request, Routes, ok, service_app
from shared.runtime.health import HEALTH
from shared.runtime.process import main
from shared.runtime.settings import ServiceSettings
from shared.runtime.tasks import SUPERVISOR

routes = Routes("Toy")


@routes.get("/slow", access=PUBLIC, scope=READ)
async def slow(request: Request) -> Reply[None]:
    """Takes its time, and says when it began."""
    print("begun", flush=True)  # noqa: T201
    await asyncio.sleep(0.5)
    return ok()


async def dies(after: float) -> None:
    await asyncio.sleep(after)
    raise ZeroDivisionError


async def is_cancelled(after: float) -> None:
    await asyncio.sleep(after)
    raise asyncio.CancelledError


async def returns(after: float) -> None:
    await asyncio.sleep(after)


ENDS = {"dies": dies, "is_cancelled": is_cancelled, "returns": returns}


def build(settings: ServiceSettings) -> web.Application:
    app = service_app("example", settings, [routes], SystemClock())

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        ends = ENDS.get(sys.argv[1])
        if ends is not None:
            app[SUPERVISOR].spawn("doomed", ends(0.1))
        app[HEALTH].started = True
        yield
        await app[SUPERVISOR].stop()
        print("closed", flush=True)  # noqa: T201

    app.cleanup_ctx.append(lifetime)
    return app


if __name__ == "__main__":
    main("example", ServiceSettings, build)
