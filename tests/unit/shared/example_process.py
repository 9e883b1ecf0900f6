"""`python -m tests.unit.shared.example_process <how> [<hangs>]`: a service that lasts, or dies.

`hangs` is what keeps it from ending, and happens when it stops; of one that `begins`, when it starts.
"""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

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


async def awaits_no_answer() -> None:
    """As of a broker that is frozen."""
    await asyncio.Event().wait()


async def leaves_a_task() -> None:
    """That nobody can cancel: asyncio waits for it in the end."""

    async def go_on() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    globals()["left"] = asyncio.create_task(go_on())
    await asyncio.sleep(0)


async def leaves_a_thread() -> None:
    """The interpreter waits for it in the end."""
    threading.Thread(target=threading.Event().wait).start()


async def leaves_a_call() -> None:
    """In a thread of the event loop, which waits for it in the end."""
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)


async def blocks() -> None:
    """As a library written in C may."""
    time.sleep(1000)  # noqa: ASYNC251


HANGS: dict[str, Callable[[], Awaitable[None]]] = {
    each.__name__: each for each in (awaits_no_answer, leaves_a_task, leaves_a_thread, leaves_a_call, blocks)
}


def build(settings: ServiceSettings) -> web.Application:
    app = service_app("example", settings, [routes], SystemClock())

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        how, *hangs = sys.argv[1:]
        if how == "begins":
            await HANGS[hangs.pop()]()
        ends = ENDS.get(how)
        if ends is not None:
            app[SUPERVISOR].spawn("doomed", ends(0.1))
        app[HEALTH].started = True
        yield
        await app[SUPERVISOR].stop()
        for name in hangs:
            await HANGS[name]()
        print("closed", flush=True)  # noqa: T201

    app.cleanup_ctx.append(lifetime)
    return app


if __name__ == "__main__":
    main("example", ServiceSettings, build)
