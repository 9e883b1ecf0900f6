"""Delivers reports in their order; they lie on disk until the door has taken them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import structlog

from shared.clock import Clock
from shared.livekit import WebhookSigner
from shared.runtime.backoff import Backoff

log = structlog.get_logger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=5.0)
_BACKOFF = Backoff(0.2, 5.0)
_TYPE = "application/webhook+json"


class Reports:
    """`door` is the URL that takes webhooks, `folder` where they wait, each a file named by its turn."""

    def __init__(self, door: str, folder: Path, signer: WebhookSigner, clock: Clock):
        self._door = door
        self._folder = folder
        self._signer = signer
        self._clock = clock
        self._more = asyncio.Event()
        self._last_turn = 0
        self._unkept: deque[bytes] = deque()

    async def tell(self, webhook: Mapping[str, Any]) -> None:
        """Keep a report, in protobuf JSON, and have it delivered.

        Where the disk is full it is delivered all the same: it may be what says that the disk is full.
        """
        self._last_turn = max(self._last_turn + 1, int(self._clock.now().timestamp() * 1e6))
        file = self._folder / f"{self._last_turn:020d}.json"
        body = orjson.dumps(webhook)
        try:
            await asyncio.to_thread(_keep, file, body)
        except OSError as error:
            log.warning("report.not_kept", error=str(error))
            self._unkept.append(body)
        self._more.set()

    async def run(self) -> None:
        """Deliver what there is and what comes."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
            while True:
                self._more.clear()
                for file in await asyncio.to_thread(_in_order, self._folder):
                    body = await asyncio.to_thread(file.read_bytes)
                    await _BACKOFF.until(partial(self._taken, http, body))
                    await asyncio.to_thread(file.unlink)
                while self._unkept:
                    await _BACKOFF.until(partial(self._taken, http, self._unkept[0]))
                    self._unkept.popleft()
                await self._more.wait()

    async def _taken(self, http: aiohttp.ClientSession, body: bytes) -> bool:
        """Whether the door took it. As with LiveKit, what it refuses as such is not told again."""
        headers = {"Authorization": self._signer.sign(body), "Content-Type": _TYPE}
        try:
            async with http.post(self._door, data=body, headers=headers) as answer:
                if answer.status < 400:
                    return True
                log.warning("report.refused", status=answer.status, said=(await answer.text())[:300])
                return answer.status < 500 and answer.status not in {401, 408, 429}
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("report.not_taken", error=str(error) or type(error).__name__)
            return False


def _keep(file: Path, body: bytes) -> None:
    fresh = file.with_suffix(".new")
    try:
        fresh.write_bytes(body)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _in_order(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))
