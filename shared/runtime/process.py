"""Running a service: listen, serve until a signal or a fatal end, then stop in order.

Stopping: readiness goes off, the load balancer gets `readiness_delay_seconds` to notice, no new
connection is accepted, requests in hand finish within `drain_seconds`, then the application's
lifetimes close in reverse order.
"""

import asyncio
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiohttp import web

from shared.runtime import log as logs
from shared.runtime.health import HEALTH, Health
from shared.runtime.settings import ServiceSettings, SettingsRefused, load
from shared.runtime.tasks import SUPERVISOR, TaskSupervisor

log = structlog.get_logger(__name__)

_OPEN_FILES = 65_536

S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True)
class Service:
    """What is run. `close` is called when the last request is done; an application closes itself."""

    runner: web.BaseRunner
    health: Health
    supervisor: TaskSupervisor
    close: Callable[[], Awaitable[None]] | None = None

    @classmethod
    def of(cls, app: web.Application, settings: ServiceSettings) -> "Service":
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.drain_seconds)
        return cls(runner, app[HEALTH], app[SUPERVISOR])


def main(service: str, settings_class: type[S], build: Callable[[S], web.Application | Service]) -> None:
    """Read the settings, build the service and run it; the process's exit status says how it went."""
    try:
        settings = load(settings_class)
    except SettingsRefused as error:
        sys.exit(f"greenroom {service}: {error}")
    _allow_open_files()
    logs.configure(service=service, level=settings.log_level, output=settings.log_format)
    sys.exit(asyncio.run(_run(settings, build)))


def _allow_open_files() -> None:
    """As many as the system lets us: each connection is one, and the usual 1,024 would be one client's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(settings: S, build: Callable[[S], web.Application | Service]) -> int:
    built = build(settings)
    service = built if isinstance(built, Service) else Service.of(built, settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await service.runner.setup()
    await web.TCPSite(service.runner, settings.host, settings.port).start()
    log.info("service.listening", host=settings.host, port=settings.port, environment=settings.environment)
    failed = await _until_stopped(stop, service.supervisor.failed)
    service.health.stopping = True
    if not failed:
        await asyncio.sleep(settings.readiness_delay_seconds)
    log.info("service.stopping", failed=failed)
    await service.runner.cleanup()
    if service.close is not None:
        await service.close()
    log.info("service.stopped")
    return 1 if failed else 0


async def _until_stopped(stop: asyncio.Event, failed: asyncio.Event) -> bool:
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(failed.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return failed.is_set()
