"""Liveness and readiness: what a service depends on and how each of it is."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from aiohttp import web
from prometheus_client import Gauge

from shared.errors import AppError

Check = Callable[[], Awaitable[str | None]]

_DEADLINE = 1.0

_READY = Gauge("greenroom_ready", "Whether the process takes requests")
_ANSWERS = Gauge("greenroom_dependency_up", "Whether what the process depends on answers it", ["dependency"])


class Health:
    """`started` once the start-up work is done, `stopping` from the first signal on."""

    def __init__(self) -> None:
        self.started = False
        self.stopping = False
        # Whether /metrics is on a port of its own, and not on that of the requests.
        self.metrics_apart = False
        self._checks: dict[str, Check] = {}
        self._notes: dict[str, str] = {}

    def note(self, subject: str, words: str) -> None:
        """Something to know that does not keep the service from being ready."""
        self._notes[subject] = words

    def add(self, dependency: str, check: Check) -> None:
        """`check` returns None when the dependency answers, else (or by raising) what is wrong."""
        self._checks[dependency] = check

    async def states(self) -> dict[str, str]:
        """Each dependency's state: "ok" or a sentence."""
        names = list(self._checks)
        results = await asyncio.gather(*(self._ask(self._checks[name]) for name in names))
        return dict(zip(names, results, strict=True))

    async def readiness(self, exclude: Collection[str] = ()) -> tuple[bool, dict[str, object]]:
        """Whether to send requests here, and the document that /readyz answers; the metrics say it, too.

        What is in `exclude` is in the document and in the metrics, but does not count for the answer.
        """
        dependencies = await self.states()
        working = self.started and not self.stopping
        away = {name for name, state in dependencies.items() if state != "ok"}
        _READY.set(working and not away)
        for dependency in dependencies:
            _ANSWERS.labels(dependency).set(dependency not in away)
        ready = working and away <= set(exclude)
        document: dict[str, object] = {"status": self._status(ready), "dependencies": dependencies}
        return ready, document | ({"notes": dict(self._notes)} if self._notes else {})

    def _status(self, ready: bool) -> str:
        if self.stopping:
            return "stopping"
        if not self.started:
            return "starting"
        return "ready" if ready else "unavailable"

    @staticmethod
    async def _ask(check: Check) -> str:
        try:
            async with asyncio.timeout(_DEADLINE):
                return await check() or "ok"
        except TimeoutError:
            return f"no answer within {_DEADLINE:g} s"
        except AppError as error:
            return error.message
        except Exception as error:
            return f"{type(error).__name__}: {error}"


HEALTH: Final = web.AppKey("health", Health)
