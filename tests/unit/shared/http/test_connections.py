"""When a call to a service is made a second time, and when not."""

import asyncio
import socket

import pytest
from aiohttp import ClientConnectorError, ClientPayloadError, ServerDisconnectedError
from aiohttp.client_reqrep import ConnectionKey

from shared.http.connections import repeated

NOT_CONNECTED = ClientConnectorError(
    ConnectionKey("host", 80, False, True, None, None, None), ConnectionRefusedError()
)


class Calls:
    """Fails with each of `errors` in turn, then succeeds."""

    def __init__(self, *errors: Exception):
        self._errors = list(errors)
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


@pytest.mark.parametrize("error", [ServerDisconnectedError(), ClientPayloadError(), ConnectionResetError()])
async def test_a_lost_answer_is_asked_for_again_only_if_the_call_may_arrive_twice(error: Exception) -> None:
    assert await repeated(Calls(error), "session", lost=True) == "done"
    once = Calls(error)
    with pytest.raises(type(error)):
        await repeated(once, "session", lost=False)
    assert once.made == 1


async def test_a_call_that_nobody_heard_is_made_again() -> None:
    assert await repeated(Calls(NOT_CONNECTED), "session", lost=False) == "done"


async def test_there_is_no_third_try() -> None:
    calls = Calls(NOT_CONNECTED, NOT_CONNECTED, NOT_CONNECTED)
    with pytest.raises(ClientConnectorError):
        await repeated(calls, "session", lost=True)
    assert calls.made == 2


@pytest.mark.parametrize("error", [TimeoutError(), asyncio.CancelledError(), socket.gaierror(), ValueError()])
async def test_what_is_late_or_wrong_is_not_repeated(error: BaseException) -> None:
    made = 0

    async def call() -> None:
        nonlocal made
        made += 1
        raise error

    with pytest.raises(type(error)):
        await repeated(call, "session", lost=True)
    assert made == 1
