"""Answers to Centrifugo's proxy requests."""

import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from services.session.centrifugo.schemas import (
    DENIED,
    EXPIRED,
    INTERNAL,
    NO_TOKEN,
    NOT_SET_UP,
    UNAUTHORIZED,
    UNKNOWN_CHANNEL,
    CentrifugoSubscribeRequest,
    ConnectReply,
    ConnectRequest,
    ConnectResult,
    Meta,
    RefreshReply,
    RefreshResult,
    Refusal,
    SubscribeReply,
    SubscribeResult,
)
from services.session.sessions.domain.session import Session
from shared.access.identity import TokenVerifier
from shared.access.permissions import permissions_in_session
from shared.access.session_access import require_not_banned
from shared.clock import Clock
from shared.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from shared.ids import is_id
from shared.runtime.rotating_secret import RotatingSecret

_SESSION = re.compile(r"session:([^:]+)(:staff)?")
# Centrifugo refuses a connection that has ended by its own clock with error 109, at which clients give up. A
# token is accepted some seconds after its end, and clocks differ.
_SHORTEST_CONNECTION = timedelta(seconds=5)


@dataclass(frozen=True)
class SessionChannel:
    """`session:<id>` is for all who take part, `session:<id>:staff` for host, co-hosts and moderators."""

    session_id: str
    staff: bool


@dataclass(frozen=True)
class UserChannel:
    """`user:<id>` is for one person."""

    user_id: str


def channel(name: object) -> SessionChannel | UserChannel | None:
    """What this channel is of; None for a name that we do not give. Ids are in small letters."""
    if not isinstance(name, str):
        return None
    kind, _, user_id = name.partition(":")
    if kind == "user" and _is_ours(user_id):
        return UserChannel(user_id)
    match = _SESSION.fullmatch(name)
    if match is None or not _is_ours(match[1]):
        return None
    return SessionChannel(match[1], staff=match[2] is not None)


def _is_ours(id: str) -> bool:
    """A channel has one name: another spelling of an id would be another channel."""
    return id == id.lower() and is_id(id)


class SessionLookup(Protocol):
    async def get_for_participant(self, id: str, user_id: str) -> Session:
        """The session for this person, bans aside; raises `NotFound`, `Forbidden`."""
        ...


class CentrifugoService:
    """`secret` is in Centrifugo's requests; without one all requests are refused."""

    def __init__(
        self, secret: RotatingSecret, verifier: TokenVerifier, sessions: SessionLookup, clock: Clock
    ):
        self._secret = secret
        self._verifier = verifier
        self._clock = clock
        self._sessions = sessions

    def connect(self, shown: str | None, authorization: str | None, body: ConnectRequest) -> ConnectReply:
        """Whose connection it is, by the access token in `data.token` or the Authorization header."""
        refusal = self._stranger(shown)
        if refusal is not None:
            return ConnectReply(error=refusal)
        try:
            caller, expires_at = self._verifier.prove(_token(body.data, authorization))
        except Unauthenticated as error:
            expired = error.code == "token_expired"
            return ConnectReply(disconnect=EXPIRED if expired else NO_TOKEN)
        if expires_at - self._clock.now() < _SHORTEST_CONNECTION:
            return ConnectReply(disconnect=EXPIRED)
        return ConnectReply(
            result=ConnectResult(
                user=caller.user_id,
                expire_at=int(expires_at.timestamp()),
                info={"username": caller.username},
                meta=Meta(device_id=caller.device_id),
            )
        )

    def refresh(self, shown: str | None) -> RefreshReply:
        """The end of a connection whose access token has ended."""
        refusal = self._stranger(shown)
        return RefreshReply(error=refusal) if refusal else RefreshReply(result=RefreshResult(expired=True))

    async def subscribe(self, shown: str | None, body: CentrifugoSubscribeRequest) -> SubscribeReply:
        """Whether this user may hear this channel."""
        refusal = self._stranger(shown) or await self._deaf(body, channel(body.channel))
        return SubscribeReply(error=refusal) if refusal else SubscribeReply(result=SubscribeResult())

    def _stranger(self, shown: str | None) -> Refusal | None:
        """Why the request is refused; None if it is from our Centrifugo."""
        if not self._secret:
            return NOT_SET_UP
        sent = (shown or "").encode(errors="surrogateescape")
        known = any(hmac.compare_digest(sent, secret) for secret in self._secret.keys)
        return None if known else UNAUTHORIZED

    async def _deaf(
        self, body: CentrifugoSubscribeRequest, to: SessionChannel | UserChannel | None
    ) -> Refusal | None:
        """Why the user may not subscribe; None if they may."""
        user = body.user
        if to is None:
            return UNKNOWN_CHANNEL
        if not isinstance(user, str) or not user:
            return DENIED
        if isinstance(to, UserChannel):
            return None if to.user_id == user else DENIED
        try:
            return await self._deaf_in_session(user, _device(body.meta), to)
        except NotFound:
            # Who is no staff cannot tell whether there is such a session.
            return DENIED if to.staff else UNKNOWN_CHANNEL
        except Forbidden:
            return DENIED
        except Unavailable:
            return INTERNAL

    async def _deaf_in_session(self, user: str, device: str | None, to: SessionChannel) -> Refusal | None:
        session = await self._sessions.get_for_participant(to.session_id, user)
        if user != session.host_id:
            require_not_banned(session, user, device)
        may = permissions_in_session(session, session.preset.settings, user)
        return DENIED if to.staff and not may.moderate else None


def _device(meta: Any) -> str | None:
    device = meta.get("device_id") if isinstance(meta, dict) else None
    return device if isinstance(device, str) else None


def _token(data: Any, authorization: str | None) -> str:
    """The access token of the request, empty if there is none."""
    sent = data.get("token") if isinstance(data, dict) else None
    if isinstance(sent, str) and sent:
        return sent
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
