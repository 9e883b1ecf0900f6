"""Sessions, built: the aggregate, who may do what in it, and the tokens for joining."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pydantic import SecretStr

from services.session.catalog.build import Catalog
from services.session.identity.build import Identity
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Limits
from services.session.sessions.encoder_access import EncoderAccess
from services.session.sessions.encoder_keys import EncoderKeys
from services.session.sessions.ingest import IngestPort
from services.session.sessions.join_tokens import JoinTokens
from services.session.sessions.livekit_rooms import LiveKitRooms
from services.session.sessions.pending import PendingSessions
from services.session.sessions.presenter import HlsLinks, SessionPresenter
from services.session.sessions.repository import SessionRepository
from services.session.sessions.service import SessionService
from shared.clock import Clock
from shared.files.paths import PathSigner
from shared.files.stream_links import HLS_LINKS, StreamLinks
from shared.livekit import LiveKit, TokenMint
from shared.runtime.rotating_secret import RotatingSecret


class SessionCoreSettings(Protocol):
    public_url: str
    livekit_api_key: str
    livekit_api_secret: SecretStr
    livekit_public_url: str
    no_host_grace_seconds: int
    departure_grace_seconds: int
    max_duration_seconds: int
    expire_after_seconds: int

    @property
    def internal_signing(self) -> RotatingSecret: ...


@dataclass(frozen=True)
class SessionCore:
    """`rooms` are the sessions' LiveKit rooms, `hls_links` the addresses under which the audience plays the
    streams.
    """

    repository: SessionRepository
    access: SessionAccess
    service: SessionService
    presenter: SessionPresenter
    rooms: LiveKitRooms
    pending: PendingSessions
    join_tokens: JoinTokens
    mint: TokenMint
    encoder_keys: EncoderKeys
    encoder_access: EncoderAccess
    hls_links: HlsLinks
    limits: Limits


def build_sessions(
    settings: SessionCoreSettings,
    repository: SessionRepository,
    catalog: Catalog,
    identity: Identity,
    ingest: IngestPort,
    livekit: LiveKit,
    clock: Clock,
) -> SessionCore:
    limits = _limits(settings)
    secret = settings.internal_signing
    signer = PathSigner(secret, HLS_LINKS, clock)
    hls_links = HlsLinks(StreamLinks(settings.public_url, signer, clock))
    presenter = SessionPresenter(catalog.stores.rooms, catalog.room_presenter, hls_links)
    access = SessionAccess(repository, identity.users)
    service = SessionService(repository, access, catalog, ingest, presenter, limits, clock)
    mint = TokenMint(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value(), clock)
    rooms = LiveKitRooms(livekit, limits)
    return SessionCore(
        repository,
        access,
        service,
        presenter,
        rooms,
        PendingSessions(repository, catalog, rooms, clock),
        JoinTokens(access, mint, settings.livekit_public_url, clock),
        mint,
        EncoderKeys(secret, clock),
        EncoderAccess(repository, access, identity),
        hls_links,
        limits,
    )


def _limits(settings: SessionCoreSettings) -> Limits:
    return Limits(
        no_host_grace=timedelta(seconds=settings.no_host_grace_seconds),
        departure_grace=timedelta(seconds=settings.departure_grace_seconds),
        max_duration=timedelta(seconds=settings.max_duration_seconds),
        expire_after=timedelta(seconds=settings.expire_after_seconds),
    )
