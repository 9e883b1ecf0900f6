"""Calling LiveKit through its SDK: one session, deadlines, and LiveKit's errors as ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from livekit.api import LiveKitAPI as Sdk
from livekit.api import TwirpError, TwirpErrorCode

from shared.errors import BadGateway, Unavailable

# How a server says that no server has the room or participant, since theirs died: nobody answered, or the
# server that is registered for it was forgotten since (some 30 s after its death).
_NO_SERVER = ("no response from servers", "could not find object")
_SILENT = "LiveKit is unavailable"
_PAGES = 1000


class LiveKitRefused(BadGateway):
    """502: LiveKit refused the call. `reason` is its Twirp code, e.g. `permission_denied`."""

    def __init__(self, reason: str, message: str):
        super().__init__(f"LiveKit refused the call: {message or reason}", code="livekit_refused")
        self.reason = reason


class NoServerForIt(Unavailable):
    """LiveKit waited (3 s) for a server that has the room or participant, and none answered."""


class SdkConnection:
    """A server reached through the SDK; `url` is http(s) or ws(s)."""

    def __init__(self, url: str, api_key: str, api_secret: str):
        self.url, self.key, self.secret = url, api_key, api_secret
        self._opened: Sdk | None = None

    @property
    def sdk(self) -> Sdk:
        """Opened with the first call, since its session needs a running loop."""
        if self._opened is None:
            self._opened = Sdk(self.url, self.key, self.secret, failover=False)
        return self._opened

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()


@asynccontextmanager
async def call(deadline: float, *, late: str = _SILENT) -> AsyncIterator[None]:
    """One call: its deadline, and LiveKit's errors as ours; `late` is the error text of a missed deadline."""
    try:
        # The SDK hands aiohttp `timeout=None` with each call, which lifts its session's own.
        async with asyncio.timeout(deadline):
            yield
    except TwirpError as error:
        if any(text in error.message for text in _NO_SERVER):
            raise NoServerForIt("No LiveKit server has this room or participant") from error
        # 5xx: unavailable, deadline_exceeded (408), internal …; 429: over a limit for the moment.
        if error.status >= 500 or error.status in {408, 429}:
            raise Unavailable(f"LiveKit is unavailable ({_reason(error)})") from error
        raise LiveKitRefused(_reason(error), error.message) from error
    except TimeoutError as error:
        raise Unavailable(late) from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unavailable(_SILENT) from error


async def all_items(
    fetch: Callable[[Any], Awaitable[Any]], request: Any, deadline: float
) -> AsyncIterator[Any]:
    """The items of all pages of a list; `request` is changed from page to page."""
    for _ in range(_PAGES):
        async with call(deadline):
            answer = await fetch(request)
        for item in answer.items:
            yield item
        if not answer.next_page_token.token:
            return
        request.page_token.CopyFrom(answer.next_page_token)


def _reason(error: TwirpError) -> str:
    """The Twirp code; only the status is known if something in front of the API answered."""
    return f"status {error.status}" if error.code == TwirpErrorCode.UNKNOWN else str(error.code)
