"""What is recorded of every answered request: its metrics, and a line in the access log.

Lines are formatted by hand and written in batches: a logger's line costs ten times as much.
"""

import asyncio
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import orjson

from services.gateway.routing.router import Endpoint
from shared.runtime.metrics import observe_request

_FLUSH_SECONDS: Final = 0.05
_FLUSH_LINES: Final = 1000
_UNLOGGED: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class AccessLine(NamedTuple):
    """An answered request; `at` in Unix seconds. The path comes without its query: it may hold tokens."""

    at: float
    method: str
    route: str
    path: str
    status: int
    seconds: float
    request_id: str
    client: str
    user_id: str | None


class RequestLogger:
    """`write` gets whole lines, many at a time, at most 50 ms after the request."""

    def __init__(self, write: Callable[[str], object], output: Literal["json", "console"]):
        self._write = write
        self._format = _json if output == "json" else _console
        self._lines: list[AccessLine] = []
        self._timer: asyncio.TimerHandle | None = None

    def record(
        self,
        endpoint: Endpoint | None,
        method: str,
        path: str,
        status: int,
        started: float,
        request_id: str,
        client: str,
        user_id: str | None,
    ) -> None:
        """`started` on `time.perf_counter`."""
        seconds = time.perf_counter() - started
        template = endpoint.template if endpoint else ""
        observe_request(endpoint.label if endpoint else "unknown", status, seconds)
        if template not in _UNLOGGED:
            self.add(
                AccessLine(time.time(), method, template, path, status, seconds, request_id, client, user_id)
            )

    def add(self, line: AccessLine) -> None:
        self._lines.append(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)
        elif len(self._lines) >= _FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            self._write("".join(map(self._format, lines)))


def _json(line: AccessLine) -> str:
    user = f'"{line.user_id}"' if line.user_id else "null"
    return (
        f'{{"event":"http.request","level":"info","timestamp":"{_timestamp(line.at)}",'
        f'"service":"gateway","method":{_text(line.method)},"route":"{line.route}",'
        f'"path":{_text(line.path)},"status":{line.status},"ms":{line.seconds * 1e3:.2f},'
        f'"request_id":"{line.request_id}","client":"{line.client}","user_id":{user}}}\n'
    )


def _console(line: AccessLine) -> str:
    return (
        f"{_timestamp(line.at)} {line.method} {line.path} {line.status} "
        f"{line.seconds * 1e3:.1f} ms {line.request_id}\n"
    )


def _timestamp(at: float) -> str:
    second = int(at)
    return f"{_second(second)}.{int((at - second) * 1000):03d}Z"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    """The lines of one second share all but the milliseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _text(value: str) -> str:
    return orjson.dumps(value).decode()
