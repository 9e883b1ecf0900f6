"""What is kept of every answered request: its metrics and a line in the access log."""

import time
from typing import Final

from services.gateway.routing.router import Endpoint
from services.gateway.server.access_log import AccessLog, Line
from shared.runtime.metrics import observe_request

_UNLOGGED: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Recorder:
    def __init__(self, access_log: AccessLog):
        self._access_log = access_log

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
        if template in _UNLOGGED:
            return
        self._access_log.add(
            Line(time.time(), method, template, path, status, seconds, request_id, client, user_id)
        )
