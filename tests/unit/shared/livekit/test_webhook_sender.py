"""Webhooks that wait on disk until they are accepted."""

import asyncio
import os
from pathlib import Path

from shared.livekit import WebhookSigner
from shared.livekit.webhook_sender import WebhookSender
from tests.fakes.fake_clock import FakeClock


async def test_one_that_cannot_be_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    clock = FakeClock()
    taken = tmp_path / f"{int(clock.now().timestamp() * 1e6):020d}.json"
    taken.mkdir()
    sender = WebhookSender("http://door", tmp_path, WebhookSigner("key", "secret" * 6, clock), clock)
    await sender.send({"event": "egress_ended"})
    assert await asyncio.to_thread(os.listdir, tmp_path) == [taken.name]
