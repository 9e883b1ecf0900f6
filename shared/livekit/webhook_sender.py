"""Sends webhooks in LiveKit's form, in their order; they wait on disk until they are accepted."""

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


class WebhookSender:
    """`url` accepts the webhooks; `folder` is where they wait, each a file named by its turn."""

    def __init__(self, url: str, folder: Path, signer: WebhookSigner, clock: Clock):
        self._url = url
        self._folder = folder
        self._signer = signer
        self._clock = clock
        self._more = asyncio.Event()
        self._last_turn = 0
        self._unsaved: deque[bytes] = deque()

    async def send(self, webhook: Mapping[str, Any]) -> None:
        """Save a webhook, in protobuf JSON, and have it delivered.

        If the disk is full it is delivered from memory: it may be what reports the full disk.
        """
        self._last_turn = max(self._last_turn + 1, int(self._clock.now().timestamp() * 1e6))
        file = self._folder / f"{self._last_turn:020d}.json"
        body = orjson.dumps(webhook)
        try:
            await asyncio.to_thread(_save, file, body)
        except OSError as error:
            log.warning("webhook.not_saved", error=str(error))
            self._unsaved.append(body)
        self._more.set()

    async def run(self) -> None:
        """Deliver what waits and whatever is sent, until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
            while True:
                self._more.clear()
                for file in await asyncio.to_thread(lambda: sorted(self._folder.glob("*.json"))):
                    body = await asyncio.to_thread(file.read_bytes)
                    await _BACKOFF.until(partial(self._post, http, body))
                    await asyncio.to_thread(file.unlink)
                while self._unsaved:
                    await _BACKOFF.until(partial(self._post, http, self._unsaved[0]))
                    self._unsaved.popleft()
                await self._more.wait()

    async def _post(self, http: aiohttp.ClientSession, body: bytes) -> bool:
        """Whether it is done with. As with LiveKit, a webhook that is refused as such is not sent again."""
        headers = {"Authorization": self._signer.sign(body), "Content-Type": _TYPE}
        try:
            async with http.post(self._url, data=body, headers=headers) as answer:
                if answer.status < 400:
                    return True
                log.warning("webhook.refused", status=answer.status, said=(await answer.text())[:300])
                return answer.status < 500 and answer.status not in {401, 408, 429}
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("webhook.not_delivered", error=str(error) or type(error).__name__)
            return False


def _save(file: Path, body: bytes) -> None:
    fresh = file.with_suffix(".new")
    try:
        fresh.write_bytes(body)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
