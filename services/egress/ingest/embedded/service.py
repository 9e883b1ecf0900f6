"""Ingresses of our own, and the relay orders that say where their media goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.egress.ingest.embedded.repository import IngressRepository
from shared.access.encoders import owner_of
from shared.access.permissions import encoder_grant
from shared.clock import Clock
from shared.errors import NotFound
from shared.http.session_service import EncoderOwners
from shared.ids import new_id, new_secret
from shared.livekit import Ingress, TokenMint
from shared.livekit.ports import IngressInput

# A token only lets the relay connect; it asks for another before each try.
_TOKEN_LIFETIME = timedelta(minutes=10)
# The relay asks every second whether an encoder may go on; recorded at most so often, and true for so long.
_NOTED_EVERY = timedelta(seconds=5)
_SENDS_FOR = timedelta(seconds=10)


@dataclass(frozen=True)
class RelayOrder:
    """Where the media of an ingress goes: into its room, which `token` lets the relay join."""

    ingress: Ingress
    token: str = field(repr=False)


class EmbeddedIngresses:
    """The ingest port without LiveKit Ingress; `rtmp_url` is the address given to encoders."""

    def __init__(
        self,
        ingresses: IngressRepository,
        mint: TokenMint,
        rtmp_url: str,
        owners: EncoderOwners,
        clock: Clock,
    ):
        self._ingresses = ingresses
        self._mint = mint
        self._rtmp_url = rtmp_url
        self._clock = clock
        self._owners = owners

    async def create_rtmp_ingress(
        self, room: str, identity: str, *, name: str, participant_name: str
    ) -> Ingress:
        ingress = Ingress(
            ingress_id="IN_" + new_id().replace("-", "")[-16:],
            url=self._rtmp_url,
            stream_key=new_secret(24),
            room=room,
            name=name,
            identity=identity,
        )
        await self._ingresses.add(ingress, participant_name, self._clock.now())
        return ingress

    async def delete_ingress(self, ingress_id: str) -> None:
        await self._ingresses.delete(ingress_id)

    async def list_ingresses(self, room: str | None = None) -> Sequence[Ingress]:
        seen = await (self._ingresses.list_all() if room is None else self._ingresses.of_room(room))
        return [self._with_status(ingress, asked_at) for ingress, asked_at in seen]

    def _with_status(self, ingress: Ingress, asked_at: datetime | None) -> Ingress:
        """The relay keeps asking while an encoder sends, and only then."""
        sends = asked_at is not None and self._clock.now() - asked_at < _SENDS_FOR
        if not sends:
            return replace(ingress, status="inactive", input=None)
        return replace(ingress, status="publishing")

    async def order(self, stream_key: str, sent: IngressInput | None = None) -> RelayOrder:
        """Where the media sent under a key goes; `sent` is what is known of it, None before anything came.

        Raises `NotFound` for a key that is unknown or revoked, or whose owner may not send any longer, and
        `Unavailable`.
        """
        found = await self._ingresses.with_key(stream_key)
        if found is None:
            raise NotFound("There is no such stream key", code="stream_key_unknown")
        ingress, participant_name, made_at = found
        if not await self._owners.may_send(ingress.room, owner_of(ingress.identity), made_at):
            raise NotFound("This stream key was revoked", code="stream_key_revoked")
        now = self._clock.now()
        await self._ingresses.ask(ingress.ingress_id, sent, now, unless_after=now - _NOTED_EVERY)
        grant = encoder_grant(room=ingress.room, identity=ingress.identity, name=participant_name)
        token = self._mint.join_token(grant, lifetime=_TOKEN_LIFETIME)
        return RelayOrder(ingress, token)
