"""The LiveKit server's own WHIP endpoint (RFC 9725), as a client that passes an encoder's requests on.

Measured on LiveKit 1.13.5: it takes its entity tags without quotes, `*` in their place restarts ICE, and a
connection is found by its participant's id in whatever room the token is for, not by the token's identity.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from shared.errors import AppError, NotFound, Unavailable

SDP: Final = "application/sdp"
SDP_FRAGMENT: Final = "application/trickle-ice-sdpfrag"

_TIMEOUT: Final = aiohttp.ClientTimeout(total=8.0)
# Any entity tag matches: the encoder restarts ICE.
RESTART: Final = "*"


class BadDescription(AppError):
    """400: LiveKit cannot use the encoder's session description."""

    status = 400
    code = "sdp_invalid"


class IceSessionOver(AppError):
    """412: ICE was restarted since."""

    status = 412
    code = "ice_session_over"


@dataclass(frozen=True)
class WhipAnswer:
    """LiveKit's answer: a session description or fragment of one, and the tag of the ICE session it begins.

    `ice_servers` are Link headers. `participant_id` names a new connection.
    """

    description: str
    ice_session: str | None
    ice_servers: tuple[str, ...] = field(default=(), repr=False)
    participant_id: str = ""


class WhipClient:
    """`url` is http(s) or ws(s). Each call takes a join token for the encoder's room, under its identity.

    Each raises `Unavailable` if LiveKit is unavailable.
    """

    def __init__(self, url: str):
        parts = urlsplit(url)
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        self._url = urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/whip/v1", "", ""))
        self._opened: aiohttp.ClientSession | None = None

    async def connect(self, token: str, offer: str) -> WhipAnswer:
        """Raises `BadDescription`."""
        return await self._call("POST", "", token, offer, {"Content-Type": SDP})

    async def patch(self, token: str, participant_id: str, fragment: str, ice_session: str) -> WhipAnswer:
        """Add candidates to an ICE session, or restart it (`RESTART`).

        Raises `BadDescription`, `IceSessionOver`, and `NotFound` if the connection is over.
        """
        headers = {"Content-Type": SDP_FRAGMENT, "If-Match": ice_session}
        return await self._call("PATCH", f"/{participant_id}", token, fragment, headers)

    async def end(self, token: str, participant_id: str) -> None:
        """Close the connection. Raises `NotFound` if it is over already."""
        await self._call("DELETE", f"/{participant_id}", token, "", {})

    async def _call(
        self, method: str, path: str, token: str, body: str, headers: dict[str, str]
    ) -> WhipAnswer:
        if self._opened is None:
            self._opened = aiohttp.ClientSession(timeout=_TIMEOUT)
        sent = headers | {"Authorization": f"Bearer {token}"}
        try:
            async with self._opened.request(
                method, self._url + path, data=body.encode(), headers=sent
            ) as answer:
                text = await answer.text()
                if answer.status >= 300:
                    raise _refusal(answer.status, text)
                return _answer(answer, text)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable("LiveKit is unavailable") from error

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()


def _answer(answer: aiohttp.ClientResponse, text: str) -> WhipAnswer:
    return WhipAnswer(
        text,
        answer.headers.get("ETag"),
        tuple(answer.headers.getall("Link", ())),
        answer.headers.get("Location", "").rpartition("/")[2],
    )


def _refusal(status: int, text: str) -> AppError:
    """LiveKit's refusals say in words what its status does not."""
    if "ice session mismatch" in text:
        return IceSessionOver("ICE was restarted since")
    if status == 404 or "no response from servers" in text or "not found" in text:
        return NotFound("The connection is over", code="whip_connection_not_found")
    if status == 400:
        return BadDescription("The session description cannot be used")
    return Unavailable(f"LiveKit is unavailable ({status})")
