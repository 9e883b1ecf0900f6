"""A proxy between LiveKit and egress that can drop webhooks: LiveKit counts them as delivered."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from deploy.local.ports import LOOPBACK
from tests.running_stack import RunningStack

DEADLINE = aiohttp.ClientTimeout(total=10)
PATH = "/webhooks/livekit"
# So long, in whole seconds, LiveKit gives new rooms to a node that was killed (its AvailableSeconds).
_REMEMBERED = 6
_PASSED_ON = ("Authorization", "Content-Type")


class WebhookProxy:
    """While `dropping`, webhooks are answered and forgotten; `dropped` counts them."""

    def __init__(self, behind: str, http: aiohttp.ClientSession):
        self.dropping = False
        self.dropped = 0
        self._behind = behind
        self._http = http

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.dropping:
            self.dropped += 1
            return web.Response()
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        async with self._http.post(self._behind, data=body, headers=headers) as response:
            return web.Response(status=response.status)


@asynccontextmanager
async def webhook_proxy(stack: RunningStack) -> AsyncIterator[WebhookProxy]:
    """LiveKit's webhooks go through it while the block runs; LiveKit is restarted before and after."""
    behind = f"http://{LOOPBACK}:{stack.info.processes['egress'].port}{PATH}"
    async with aiohttp.ClientSession(timeout=DEADLINE) as http:
        made = WebhookProxy(behind, http)
        application = web.Application()
        application.router.add_post(PATH, made.take)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        try:
            async with _redirected(stack, f"http://{LOOPBACK}:{_port(runner)}{PATH}"):
                yield made
        finally:
            await runner.cleanup()


@asynccontextmanager
async def _redirected(stack: RunningStack, url: str) -> AsyncIterator[None]:
    config = stack.data.data_of("livekit") / "livekit.yaml"
    before = config.read_text()  # JSON, which is YAML
    changed = json.loads(before)
    changed["webhook"]["urls"] = [url]
    async with stack.held("livekit"):
        config.write_text(json.dumps(changed))
    try:
        yield
    finally:
        async with stack.held("livekit"):
            config.write_text(before)
            await asyncio.sleep(_REMEMBERED)


def _port(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])
