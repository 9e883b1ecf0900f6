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
from shared.access.identity import Caller
from shared.http.addresses import shortened
from shared.http.spans import answered
from shared.runtime import tracing
from shared.runtime.metrics import observe_request

_FLUSH_SECONDS: Final = 0.05
_FLUSH_LINES: Final = 1000
UNLOGGED: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class AccessLine(NamedTuple):
    """An answered request; `at` in Unix seconds. The path comes without its query: it may hold tokens.

    `caller` is who is signed in, `session_id` the session in the path, `trace_id` its trace, if recorded.
    """

    at: float
    method: str
    route: str
    path: str
    status: int
    seconds: float
    request_id: str
    client: str
    caller: Caller | None
    session_id: str | None
    trace_id: str | None


class RequestLogger:
    """`write` gets whole lines, many at a time, at most 50 ms after the request."""

    def __init__(
        self,
        write: Callable[[str], object],
        output: Literal["json", "console"],
        *,
        full_addresses: bool = False,
    ):
        """Clients' addresses are shortened to their networks, unless they are to be written in full."""
        self._write = write
        self._shown = str if full_addresses else lru_cache(maxsize=4096)(shortened)
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
        caller: Caller | None,
    ) -> None:
        """`started` on `time.perf_counter`."""
        seconds = time.perf_counter() - started
        template, label = (endpoint.template, endpoint.label) if endpoint else ("", "unknown")
        observe_request(label, status, seconds)
        session_id = endpoint.session_in(path) if endpoint else None
        trace_id = _note_answer(label, status, request_id, session_id) if tracing.is_on() else None
        if template not in UNLOGGED:
            self.add(
                AccessLine(
                    time.time(),
                    method,
                    template,
                    path,
                    status,
                    seconds,
                    request_id,
                    client,
                    caller,
                    session_id,
                    trace_id,
                )
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
            self._write("".join(self._format(line, self._shown(line.client)) for line in lines))


def _note_answer(operation: str, status: int, request_id: str, session_id: str | None) -> str | None:
    """Say what the current step of the trace was; the trace's id."""
    answered(operation, status, request_id)
    if session_id is not None:
        tracing.current().set({"greenroom.session_id": session_id})
    ids = tracing.ids()
    return ids.trace_id if ids else None


def _json(line: AccessLine, client: str) -> str:
    user = f'"{line.caller.user_id}"' if line.caller else "null"
    return (
        f'{{"event":"http.request","level":"info","timestamp":"{_timestamp(line.at)}",'
        f'"service":"gateway","method":{_text(line.method)},"route":"{line.route}",'
        f'"path":{_text(line.path)},"status":{line.status},"ms":{line.seconds * 1e3:.2f},'
        f'"request_id":"{line.request_id}","client":"{client}","user_id":{user}{_ids(line)}}}\n'
    )


def _ids(line: AccessLine) -> str:
    """The members that only lines have of which they are known."""
    text = ""
    if line.session_id is not None:
        text = f',"session_id":"{line.session_id}"'
    if line.caller is not None and line.caller.organization_id is not None:
        text += f',"organization_id":"{line.caller.organization_id}"'
    if line.trace_id is not None:
        text += f',"trace_id":"{line.trace_id}"'
    return text


def _console(line: AccessLine, client: str) -> str:
    del client  # whoever reads along has little room
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
