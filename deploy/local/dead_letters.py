"""How many dead letters each group has, as the services count them: without a driver, for a quick look."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

import aiohttp

from deploy.local.ports import LOOPBACK

_DEADLINE = aiohttp.ClientTimeout(total=2)
_LINE = re.compile(r'^greenroom_bus_dead_letters\{group="([^"]+)"\} (\S+)$', re.MULTILINE)


async def count_dead_letters(ports: Iterable[int]) -> dict[str, int]:
    """By group, of the services that answer on these loopback ports; counted within the last 5 s."""
    async with aiohttp.ClientSession(timeout=_DEADLINE) as http:
        texts = await asyncio.gather(*(_metrics(http, port) for port in ports))
    return {group: int(float(count)) for text in texts for group, count in _LINE.findall(text)}


async def _metrics(http: aiohttp.ClientSession, port: int) -> str:
    """What the service says of itself; nothing where it does not answer."""
    try:
        async with http.get(f"http://{LOOPBACK}:{port}/metrics") as answer:
            return await answer.text()
    except (aiohttp.ClientError, TimeoutError):
        return ""
