"""A live session with real media, start to end, in short: what `greenroom demo` plays."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest
from rich.console import Console

from deploy.api_client import ApiClient, CallFailed
from deploy.demo.api import Api
from deploy.demo.connection import MOVES_NEEDED
from deploy.demo.progress import ProgressDisplay, ProgressStep, display_on
from deploy.demo.report import DemoResult
from deploy.demo.scenario import DemoOptions, DemoScenario
from deploy.local.stack import Stack

VIEWERS = 3
SECONDS = 8.0
DEADLINE = 120.0


def scenario(
    stack: Stack, client: aiohttp.ClientSession, show: ProgressDisplay, *, password: str = ""
) -> DemoScenario:
    options = DemoOptions(stack.host.email, password or stack.host.password, VIEWERS, SECONDS)
    return DemoScenario(Api(ApiClient(stack.base_url, client)), options, show, time.monotonic)


@pytest.mark.timeout(300)
async def test_the_api_reports_what_happened_in_a_live_session(stack: Stack) -> None:
    output = io.StringIO()
    async with aiohttp.ClientSession() as client:
        with display_on(Console(file=output), time.monotonic) as show:
            outcome = await scenario(stack, client, show).run()
        assert [row for row in outcome.rows if not row.agrees] == [], output.getvalue()
        assert outcome.media.frames >= VIEWERS * MOVES_NEEDED
        await _nobody_joins_any_more(Api(ApiClient(stack.base_url, client)), outcome)


async def _nobody_joins_any_more(api: Api, outcome: DemoResult) -> None:
    late = await api.register_viewer("Late")
    with pytest.raises(CallFailed) as refused:
        await late.join(outcome.created.session_id)
    assert (refused.value.status, refused.value.code) == (409, "session_not_live")


class SilentShow:
    """Shows nothing; notes the session's id and that somebody is counted."""

    def __init__(self) -> None:
        self.session_id = ""
        self.counted = asyncio.Event()

    @contextmanager
    def step(self, title: str, total: float = 1) -> Iterator[ProgressStep]:
        yield self

    def advance(self, by: float = 1) -> None: ...

    def detail(self, text: str) -> None:
        if text.startswith("session "):
            self.session_id = text.removeprefix("session ")

    def counts(self, text: str) -> None:
        self.counted.set()

    def note(self, text: str) -> None: ...


@pytest.mark.timeout(300)
async def test_an_interrupted_demo_ends_its_session(stack: Stack) -> None:
    async with aiohttp.ClientSession() as client:
        show = SilentShow()
        playing = asyncio.create_task(scenario(stack, client, show).run())
        async with asyncio.timeout(DEADLINE):
            await show.counted.wait()
        playing.cancel()
        await asyncio.wait({playing}, timeout=DEADLINE)
        assert playing.cancelled()
        data = await ApiClient(stack.base_url, client).call("GET", f"/sessions/{show.session_id}")
    assert data["status"] == "ended"


@pytest.mark.timeout(300)
async def test_a_wrong_password_fails_the_demo_and_names_the_call(stack: Stack) -> None:
    async with aiohttp.ClientSession() as client:
        playing = scenario(stack, client, SilentShow(), password="not the password")
        with pytest.raises(CallFailed, match=r"POST .*/auth/login failed with 401 ") as refused:
            await playing.run()
    assert refused.value.request_id
