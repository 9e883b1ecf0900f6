"""What a LiveKit server does beside its API: answer at all, and forget a stale participant.

Stale participants are those whose server died: LiveKit lists them until they leave, which they cannot. So we
connect to the signalling under the participant's identity, hidden from everybody, and leave immediately: that
takes the identity off the list. Measured on LiveKit 1.13.5; its API has no call for it.
"""

from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp

from shared.contracts.states import Role
from shared.livekit.tokens import JoinGrant

# The version of the signalling protocol; the answer is not read.
_PROTOCOL = 15
_ANSWER_WITHIN = aiohttp.ClientTimeout(total=2.0)


class SignallingClient:
    """The server at `url` (http(s) or ws(s))."""

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
