"""The sessions, put together: what they are, who gets in, and what makes them live."""

from dataclasses import dataclass
from datetime import timedelta

from services.session.catalog.libraries.service import LibraryService
from services.session.catalog.presets.service import PresetService
from services.session.catalog.rooms.service import RoomService
from services.session.catalog.rooms.views import RoomViews
from services.session.identity.accounts.service import AccountService
from services.session.live.presenter import StartPresenter
from services.session.live.service import LiveService, RoomTimeouts
from services.session.repositories import Repositories
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Limits
from services.session.sessions.hls_links import PURPOSE, HlsLinks
from services.session.sessions.ingest import IngestPort
from services.session.sessions.join_tokens import JoinTokens
from services.session.sessions.service import SessionService
from services.session.sessions.views import SessionViews
from services.session.settings import SessionSettings
from services.session.tokens.service import TokenService
from shared.access.identity import TokenIssuer
from shared.clock import Clock
from shared.files.signed_paths import PathSigner
from shared.livekit import LiveKit, TokenMint


@dataclass(frozen=True)
class Sessions:
    """`streams` are the addresses under which the audience plays them."""

    access: SessionAccess
    service: SessionService
    join_tokens: JoinTokens
    tokens: TokenService
    presenter: StartPresenter
    live: LiveService
    streams: HlsLinks


def build_sessions(
    settings: SessionSettings,
    kept: Repositories,
    rooms: RoomService,
    room_views: RoomViews,
    libraries: LibraryService,
    presets: PresetService,
    accounts: AccountService,
    issuer: TokenIssuer,
    ingest: IngestPort,
    livekit: LiveKit,
    clock: Clock,
) -> Sessions:
    limits = limits_of(settings)
    signer = PathSigner(settings.internal_secret.get_secret_value(), PURPOSE, clock)
    streams = HlsLinks(settings.public_url, signer, clock)
    views = SessionViews(kept.rooms, room_views, streams)
    access = SessionAccess(kept.sessions, kept.users)
    service = SessionService(kept.sessions, access, rooms, presets, libraries, ingest, views, limits, clock)
    mint = TokenMint(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value(), clock)
    join_tokens = JoinTokens(access, mint)
    tokens = TokenService(kept.sessions, access, join_tokens, accounts, issuer, clock)
    presenter = StartPresenter(views, join_tokens, mint, settings.livekit_url, limits.max_duration)
    live = LiveService(
        kept.sessions,
        access,
        kept.presets,
        ingest,
        livekit,
        limits,
        _timeouts(settings),
        clock,
    )
    return Sessions(access, service, join_tokens, tokens, presenter, live, streams)


def limits_of(settings: SessionSettings) -> Limits:
    return Limits(
        no_host_grace=timedelta(seconds=settings.no_host_grace_seconds),
        max_duration=timedelta(seconds=settings.max_duration_seconds),
        expire_after=timedelta(seconds=settings.expire_after_seconds),
    )


def _timeouts(settings: SessionSettings) -> RoomTimeouts:
    """Well beyond our grace: LiveKit closing a room is the exception."""
    seconds = settings.no_host_grace_seconds + 300
    return RoomTimeouts(empty=seconds, departure=seconds)
