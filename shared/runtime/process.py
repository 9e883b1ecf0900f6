"""Running a service: listen, serve until a signal or a fatal end, then stop in order.

Stopping: readiness goes off, the load balancer gets `readiness_delay_seconds` to notice, no new
connection is accepted, requests in hand finish within `drain_seconds`, then the application's
lifetimes close in reverse order within `close_seconds`. Past all that the process exits with status 1,
whatever hangs: only a process that is gone is started again.
"""

import asyncio
import faulthandler
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
from shared.runtime import tracing
from shared.runtime.health import HEALTH, Health
from shared.runtime.loop_watch import watch_event_loop
from shared.runtime.metrics import report_build
from shared.runtime.metrics_page import serve_metrics
from shared.runtime.settings import ServiceSettings, SettingsRefused, load
from shared.runtime.tasks import SUPERVISOR, TaskSupervisor

log = structlog.get_logger(__name__)

_OPEN_FILES = 65_536
# For the spans that are not sent yet, when all else is closed.
_LAST_SPANS_SECONDS = 1.5
# So long after the deadline of the stop what was cancelled then may take to end.
_CANCEL_SECONDS = 2.0

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
    logs.configure(service=service, level=settings.log_level, output=settings.log_output)
    report_build(service)
    tracing.configure(service)
    status = asyncio.run(_run(settings, build))
    tracing.shutdown(_LAST_SPANS_SECONDS)
    sys.exit(status)


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
    # Requests in hand get `drain_seconds`, and as much again once aiohttp has cancelled them.
    seconds = 2 * settings.drain_seconds + settings.close_seconds
    watch = asyncio.create_task(watch_event_loop())
    try:
        failed = await _serve(service, settings)
    except Exception:
        log.critical("service.not_started", exc_info=True)
        failed = True
    service.health.stopping = True
    # For what `_close` cannot interrupt: threads, a blocked event loop, asyncio's and Python's own end.
    faulthandler.dump_traceback_later(settings.readiness_delay_seconds + seconds + _CANCEL_SECONDS, exit=True)
    if not failed:
        await asyncio.sleep(settings.readiness_delay_seconds)
    log.info("service.stopping", failed=failed)
    closed = await _close(service, seconds)
    watch.cancel()
    return 1 if failed or not closed else 0


async def _serve(service: Service, settings: ServiceSettings) -> bool:
    """Serve until a signal or a fatal end; whether it was a fatal end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await service.runner.setup()
    if settings.metrics_port is not None:
        service.health.metrics_apart = True
        page = serve_metrics(service.health, settings.host, settings.metrics_port)
        service.supervisor.spawn("metrics", page)
    await web.TCPSite(service.runner, settings.host, settings.port).start()
    log.info("service.listening", host=settings.host, port=settings.port, environment=settings.environment)
    return await _until_stopped(stop, service.supervisor.failed)


async def _close(service: Service, seconds: float) -> bool:
    """Close all, the last opened first; False if that took too long, and what hung is in the log."""
    try:
        async with asyncio.timeout(seconds) as deadline:
            await service.runner.cleanup()
            if service.close is not None:
                await service.close()
    except TimeoutError as error:
        if not deadline.expired():
            raise
        hung = logs.trace(error.__cause__ or error)
        log.critical("service.stop_overdue", seconds=seconds, hung=hung)
        return False
    log.info("service.stopped")
    return True


async def _until_stopped(stop: asyncio.Event, failed: asyncio.Event) -> bool:
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(failed.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return failed.is_set()
