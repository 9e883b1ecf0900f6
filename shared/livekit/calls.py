"""Calling LiveKit through its SDK: one session, deadlines, and LiveKit's errors as ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from livekit.api import LiveKitAPI as Sdk
from livekit.api import TwirpError, TwirpErrorCode

from shared.errors import BadGateway, Unavailable

# How a server says that none of them has what was asked for, a dead one's rooms and participants: nobody
# answered, or the one that is noted to have it was forgotten since (some 30 s after its death).
_NO_SERVER = ("no response from servers", "could not find object")
_SILENT = "LiveKit is unavailable"


class LiveKitRefused(BadGateway):
    """502: LiveKit answered and said no. `reason` is its Twirp code, e.g. `permission_denied`."""

    def __init__(self, reason: str, message: str):
        super().__init__(f"LiveKit refused the call: {message or reason}", code="livekit_refused")
        self.reason = reason


class NoServerHasIt(Unavailable):
    """LiveKit waited (3 s) for a server to say that it has the room or participant, and none did."""


class Connection:
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
    """One call: its deadline, and LiveKit's errors as ours; `late` is what its deadline's passing means."""
    try:
        # The SDK hands aiohttp `timeout=None` with each call, which lifts its session's own.
        async with asyncio.timeout(deadline):
            yield
    except TwirpError as error:
        if any(said in error.message for said in _NO_SERVER):
            raise NoServerHasIt("No LiveKit server has this room or participant") from error
        # 5xx: unavailable, deadline_exceeded (408), internal …; 429: over a limit for the moment.
        if error.status >= 500 or error.status in {408, 429}:
            raise Unavailable(f"LiveKit is unavailable ({_reason(error)})") from error
        raise LiveKitRefused(_reason(error), error.message) from error
    except TimeoutError as error:
        raise Unavailable(late) from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unavailable(_SILENT) from error


def _reason(error: TwirpError) -> str:
    """The Twirp code; where something before the API answered, only the status is known."""
    return f"status {error.status}" if error.code == TwirpErrorCode.UNKNOWN else str(error.code)
