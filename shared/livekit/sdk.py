"""Reaching a LiveKit server: its API through the SDK, with deadlines and our errors, and its signalling."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
from livekit.api import LiveKitAPI as Sdk
from livekit.api import TwirpError, TwirpErrorCode

from shared.contracts.states import Role
from shared.errors import BadGateway, Unavailable
from shared.livekit.tokens import JoinGrant
from shared.runtime import tracing
from shared.runtime.metrics import Durations
from shared.runtime.tracing import Span, SpanKind

# How a server says that no server has the room or participant, since theirs died: nobody answered, or the
# server that is registered for it was forgotten since (some 30 s after its death).
_NO_SERVER = ("no response from servers", "could not find object")
_SILENT = "LiveKit is unavailable"
_PAGES = 1000


class SdkMethod(Protocol):
    """A method of the SDK, as LiveKit's API has it."""

    __name__: str

    def __call__(self, request: Any, /) -> Awaitable[Any]: ...


_CALLS = Durations(
    "greenroom_livekit_call_seconds",
    "Calls of LiveKit's API, by outcome: ok, not_found, refused, unavailable or cancelled",
    ("method", "outcome"),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


class LiveKitRefused(BadGateway):
    """502: LiveKit refused the call. `reason` is its Twirp code, e.g. `permission_denied`."""

    def __init__(self, reason: str, message: str):
        super().__init__(f"LiveKit refused the call: {message or reason}", code="livekit_refused")
        self.reason = reason


class NoServerForIt(Unavailable):
    """LiveKit waited (3 s) for a server that has the room or participant, and none answered."""


class TimedOut(Unavailable):
    """LiveKit waited for somebody who did not answer in time: it answers itself."""


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
async def call(method: str, deadline: float, *, late: str = _SILENT) -> AsyncIterator[None]:
    """One call of an API method: measured, a step of the current trace, LiveKit's errors as ours.

    `late` is the error text of a missed deadline.
    """
    started, outcome = time.perf_counter(), "cancelled"
    try:
        with _step(method):
            async with _translated(deadline, late):
                yield
        outcome = "ok"
    except LiveKitRefused as error:
        outcome = "not_found" if error.reason == TwirpErrorCode.NOT_FOUND else "refused"
        raise
    except Unavailable:
        outcome = "unavailable"
        raise
    finally:
        _CALLS.observe((method, outcome), time.perf_counter() - started)


def _step(method: str) -> AbstractContextManager[Span]:
    if not tracing.is_on():
        return tracing.NOTHING
    attributes = {"rpc.system": "twirp", "rpc.method": method, "server.address": "livekit"}
    return tracing.child(f"livekit {method}", SpanKind.CLIENT, attributes)


@asynccontextmanager
async def _translated(deadline: float, late: str) -> AsyncIterator[None]:
    try:
        # The SDK hands aiohttp `timeout=None` with each call, which lifts its session's own.
        async with asyncio.timeout(deadline):
            yield
    except TwirpError as error:
        if any(text in error.message for text in _NO_SERVER):
            raise NoServerForIt("No LiveKit server has this room or participant") from error
        # 5xx: unavailable, deadline_exceeded (408), internal …; 429: over a limit for the moment.
        if error.status >= 500 or error.status in {408, 429}:
            kind = TimedOut if error.code == TwirpErrorCode.DEADLINE_EXCEEDED else Unavailable
            raise kind(f"LiveKit is unavailable ({_reason(error)})") from error
        raise LiveKitRefused(_reason(error), error.message) from error
    except TimeoutError as error:
        raise Unavailable(late) from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unavailable(_SILENT) from error


async def all_items(fetch: SdkMethod, request: Any, deadline: float) -> AsyncIterator[Any]:
    """The items of all pages of a list; `request` is changed from page to page."""
    for _ in range(_PAGES):
        async with call(fetch.__name__, deadline):
            answer = await fetch(request)
        for item in answer.items:
            yield item
        if not answer.next_page_token.token:
            return
        request.page_token.CopyFrom(answer.next_page_token)


def _reason(error: TwirpError) -> str:
    """The Twirp code; only the status is known if something in front of the API answered."""
    return f"status {error.status}" if error.code == TwirpErrorCode.UNKNOWN else str(error.code)


# The version of the signalling protocol; the answer is not read.
_PROTOCOL = 15
_ANSWER_WITHIN = aiohttp.ClientTimeout(total=2.0)


class SignallingClient:
    """What the server at `url` (http(s) or ws(s)) does beside its API: answer, and forget stale participants.

    Stale participants are those whose server died: LiveKit lists them until they leave, which they cannot. So
    we connect to the signalling under the participant's identity, hidden from everybody, and leave
    immediately: that takes the identity off the list. Measured on LiveKit 1.13.5; its API has no call for it.
    """

    def __init__(self, url: str):
        parts = urlsplit(url)
        secure = parts.scheme in {"https", "wss"}
        path = parts.path.rstrip("/")
        self._root = urlunsplit(("https" if secure else "http", parts.netloc, path + "/", "", ""))
        self._signalling = urlunsplit(("wss" if secure else "ws", parts.netloc, path + "/rtc", "", ""))
        self._opened: aiohttp.ClientSession | None = None

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._opened is None:
            self._opened = aiohttp.ClientSession()
        return self._opened

    async def answers(self) -> bool:
        """Whether there is any answer."""
        try:
            async with self._http.get(self._root, timeout=_ANSWER_WITHIN):
                return True
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def connect_and_leave(self, token: str) -> None:
        """Connect to the signalling and leave when it has answered; raises `aiohttp.ClientError`."""
        query = urlencode({"protocol": _PROTOCOL, "access_token": token})
        async with self._http.ws_connect(f"{self._signalling}?{query}") as signalling:
            await signalling.receive()

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()


def stale_participant_grant(room: str, identity: str) -> JoinGrant:
    """The grant under which a stale participant is taken off the list: hidden, without any media."""
    return JoinGrant(
        room=room, identity=identity, name="", role=Role.AUDIENCE, can_subscribe=False, hidden=True
    )
