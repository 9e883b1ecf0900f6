"""Calls through the gateway; each is recorded with its start, duration and outcome."""

import asyncio
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import aiohttp
import orjson

DEADLINE = aiohttp.ClientTimeout(total=12)
PATIENCE = 40.0
AGAIN_AFTER = 0.5
# The first call with the same Idempotency-Key may still be under way, or have died with its service.
IN_FLIGHT = "in_flight"


class Outcome(StrEnum):
    """What a caller knows after a call: it was done, it was not, or it may have been."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Call:
    """One call. `began` is Unix time, `took` seconds; `status` 0 where no answer came."""

    kind: str
    began: float
    took: float
    status: int
    code: str

    @property
    def ended(self) -> float:
        return self.began + self.took

    @property
    def outcome(self) -> Outcome:
        if 200 <= self.status < 300:
            return Outcome.ACKNOWLEDGED
        unclear = self.code == IN_FLIGHT or not 400 <= self.status < 500
        return Outcome.UNKNOWN if unclear else Outcome.REFUSED


@dataclass(frozen=True)
class Answer:
    """`data` of a success, None otherwise. `doubtful`: an earlier try of the same may have been done."""

    call: Call
    data: Any = None
    doubtful: bool = False

    @property
    def outcome(self) -> Outcome:
        return self.call.outcome

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.ACKNOWLEDGED


@dataclass
class Caller:
    """Everybody's calls. `calls` grows with each of them."""

    http: aiohttp.ClientSession
    calls: list[Call] = field(default_factory=list)

    async def once(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """One try; never raises for what goes wrong on the way."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            raw = orjson.dumps(body)
            sent["Content-Type"] = "application/json"
        began, clock = time.time(), time.monotonic()
        status, answer = await self._ask(method, path, sent, raw)
        code = str(answer.get("code", "")) if status >= 300 or not status else ""
        call = Call(kind, began, time.monotonic() - clock, status, code)
        self.calls.append(call)
        return Answer(call, answer.get("data"))

    async def surely(
        self, kind: str, method: str, path: str, *, patience: float = PATIENCE, **options: Any
    ) -> Answer:
        """Retries unchanged until it is acknowledged or refused, or patience (seconds) ends."""
        deadline, doubtful = time.monotonic() + patience, False
        while True:
            answer = await self.once(kind, method, path, **options)
            if answer.outcome is not Outcome.UNKNOWN or time.monotonic() > deadline:
                return Answer(answer.call, answer.data, doubtful)
            doubtful = True
            await asyncio.sleep(AGAIN_AFTER)

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], raw: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        try:
            async with self.http.request(method, path, data=raw, headers=headers) as response:
                content = await response.read()
                parsed = orjson.loads(content) if response.content_type == "application/json" else {}
                return response.status, parsed if isinstance(parsed, dict) else {}
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            return 0, {"code": type(error).__name__}


def connect(base_url: str) -> aiohttp.ClientSession:
    """A client of the gateway for everybody."""
    connector = aiohttp.TCPConnector(limit=200)
    return aiohttp.ClientSession(
        base_url, timeout=DEADLINE, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    )
