"""Encoders that publish by WHIP: each request is checked against whoever asked for the key, and passed on."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from services.session.sessions.encoder_access import EncoderAccess
from services.session.sessions.encoder_keys import EncoderKey, EncoderKeys
from shared.access.permissions import encoder_grant
from shared.access.session_access import acting_role, permissions_for_caller
from shared.contracts.states import Role
from shared.livekit import JoinGrant, TokenMint
from shared.livekit.whip import WhipAnswer

# LiveKit checks the token of each request when that arrives.
_TOKEN_LIFETIME = timedelta(minutes=1)


class WhipPort(Protocol):
    """LiveKit's endpoint: see `shared.livekit.whip.WhipClient`."""

    async def connect(self, token: str, offer: str) -> WhipAnswer: ...

    async def patch(self, token: str, participant_id: str, fragment: str, ice_session: str) -> WhipAnswer: ...

    async def end(self, token: str, participant_id: str) -> None: ...


@dataclass(frozen=True)
class WhipConnection:
    """A new connection; `url` is its own, which holds the key."""

    url: str = field(repr=False)
    answer: WhipAnswer


class WhipService:
    """Keys and names of connections are as the encoder sent them. Each raises what `EncoderAccess` does.

    `url` is where encoders publish, without the key.
    """

    def __init__(
        self, url: str, keys: EncoderKeys, access: EncoderAccess, mint: TokenMint, livekit: WhipPort
    ):
        self._url = url
        self._keys = keys
        self._access = access
        self._mint = mint
        self._livekit = livekit

    async def connect(self, pasted_key: str, offer: str) -> WhipConnection:
        """Publish; it takes the place of another encoder of this owner. The session must be live.

        Raises `BadDescription` and `Unavailable`.
        """
        key = self._keys.read(pasted_key)
        answer = await self._livekit.connect(await self._token(key), offer)
        name = self._keys.sign_connection(key, answer.participant_id)
        return WhipConnection(f"{self._url}/{key.text}/{name}", answer)

    async def patch(self, pasted_key: str, name: str, fragment: str, ice_session: str) -> WhipAnswer:
        """Raises `NotFound`, `BadDescription`, `IceSessionOver` and `Unavailable`."""
        key = self._keys.read(pasted_key)
        participant_id = self._keys.read_connection(key, name)
        return await self._livekit.patch(await self._token(key), participant_id, fragment, ice_session)

    async def end(self, pasted_key: str, name: str) -> None:
        """Whoever made a connection may end it, whatever else they may do. Raises `NotFound`."""
        key = self._keys.read(pasted_key)
        participant_id = self._keys.read_connection(key, name)
        room, identity = key.session_id, key.owner.identity("whip")
        grant = encoder_grant(room=room, identity=identity, name="", role=Role.AUDIENCE)
        await self._livekit.end(self._sign(grant), participant_id)

    async def _token(self, key: EncoderKey) -> str:
        """For what the owner may publish: LiveKit takes what comes by WHIP for camera and microphone."""
        session, caller = await self._access.authorize(key.session_id, key.owner, key.issued_at)
        session.check_live()
        grant = encoder_grant(
            room=key.session_id,
            identity=key.owner.identity("whip"),
            name=caller.username,
            role=acting_role(session, caller),
            sources=permissions_for_caller(session, session.preset.settings, caller).publish,
            issued_at=key.issued_at,
            is_guest=caller.is_guest,
        )
        return self._sign(grant)

    def _sign(self, grant: JoinGrant) -> str:
        return self._mint.join_token(grant, lifetime=_TOKEN_LIFETIME)
