"""The session service's composition root."""

from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import web

from services.session.accounts.repository import UserRepository
from services.session.accounts.service import ACCOUNTS, AccountService, FirstAdministrator
from services.session.centrifugo.service import CENTRIFUGO, CentrifugoService
from services.session.chat import files as chat_files
from services.session.chat.export import CHAT_EXPORT, ChatExport
from services.session.chat.file_messages import FILE_MESSAGES, FileMessages
from services.session.chat.files import ChatFiles
from services.session.chat.repository import ChatRepository
from services.session.chat.service import CHAT, ChatService
from services.session.enforcement import consumers as enforcement_consumers
from services.session.enforcement.marks import Marks
from services.session.enforcement.service import Enforcer
from services.session.host_media.service import HOST_MEDIA, HostMediaService
from services.session.journal import consumers as journal_consumers
from services.session.journal.repository import JournalRepository
from services.session.journal.service import JOURNAL, JournalService
from services.session.keys.keyring import Keyring
from services.session.keys.repository import ApiKeyRepository
from services.session.keys.service import API_KEYS, ApiKeyService
from services.session.libraries.repository import LibraryRepository
from services.session.libraries.service import LIBRARIES, LibraryService
from services.session.moderation.service import MODERATION, ModerationService
from services.session.moderation.views import BanViews
from services.session.notices import consumers as notice_consumers
from services.session.notices.audience import Audience
from services.session.notices.service import NoticeService
from services.session.organizations.repository import OrganizationRepository
from services.session.organizations.service import ORGANIZATIONS, OrganizationService
from services.session.participants.service import PARTICIPANTS, ParticipantService
from services.session.participants.views import ParticipantViews
from services.session.passwords import Passwords
from services.session.polls.repository import PollRepository, VoteRepository
from services.session.polls.service import POLLS, PollService
from services.session.presets.repository import PresetRepository
from services.session.presets.service import PRESETS, PresetService
from services.session.reminders.build import build_reminders
from services.session.reminders.service import REMINDERS
from services.session.revocations.repository import RevocationRepository
from services.session.revocations.service import REVOKED, RevocationService
from services.session.rooms.reactions import RoomReactions
from services.session.rooms.repository import RoomRepository
from services.session.rooms.service import ROOMS, RoomService
from services.session.rooms.views import RoomViews
from services.session.sessions import consumers as session_consumers
from services.session.sessions import hls_links
from services.session.sessions.admission import ADMISSION, Admission
from services.session.sessions.domain import Limits
from services.session.sessions.hls_links import HlsLinks
from services.session.sessions.ingest import EgressIngest
from services.session.sessions.live import LIVE, LiveService, RoomTimeouts
from services.session.sessions.participation import Participation
from services.session.sessions.reactions import SessionReactions
from services.session.sessions.repository import SessionRepository
from services.session.sessions.service import SESSIONS, SessionService
from services.session.sessions.timekeeper import keep_time
from services.session.sessions.views import SessionViews
from services.session.settings import SessionSettings
from services.session.sharing.service import SHARING, SharingService
from services.session.sharing.urls import PageUrls
from services.session.signin.repository import AuthCodeRepository, SignInRepository
from services.session.signin.service import SIGN_IN, SignInService
from services.session.signin.tokens import RefreshTokens
from services.session.stage.build import build_stage
from services.session.stage.service import STAGE
from services.session.stage_requests.answering import ANSWERING
from services.session.stage_requests.asking import ASKING
from services.session.stage_requests.repository import StageRequestRepository
from services.session.tables import TABLES
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.http import service_app
from shared.http.app import IDEMPOTENCY, INTERNAL_CALLS, REVOCATIONS, SUPERVISOR, VERIFIER
from shared.http.idempotency import IdempotencyKeys
from shared.identity import TokenIssuer
from shared.lifetime import service_lifetime
from shared.livekit import LiveKitApi, TokenMint
from shared.livekit.lifetime import livekit_lifetime
from shared.mongo import Mongo
from shared.outbox import Outbox
from shared.settings import base64url
from shared.signed_paths import PathSigner
from shared.storage import Storage


def build(settings: SessionSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("session", settings, TABLES, clock)

    mongo = Mongo.from_uri(settings.mongodb_uri)
    bus = RabbitBus(settings.amqp_url, service="session")
    outbox = Outbox(bus, clock, source="/greenroom/session")
    livekit = LiveKitApi(
        settings.livekit_api_url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    )
    mint = TokenMint(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value(), clock)
    issuer = TokenIssuer(
        base64url(settings.identity_private_key.get_secret_value()), settings.identity_signing_kid, clock
    )
    ingest = EgressIngest(settings.egress_url, app[INTERNAL_CALLS])
    passwords = Passwords(settings.passwords_at_once)
    limits = _limits(settings)

    organizations = OrganizationRepository(mongo, outbox, clock)
    libraries = LibraryRepository(mongo, outbox, clock)
    users = UserRepository(mongo, outbox, clock)
    keys = ApiKeyRepository(mongo, outbox, clock)
    rooms = RoomRepository(mongo, outbox, clock)
    presets = PresetRepository(mongo, outbox, clock)
    marks = Marks()
    sessions = SessionRepository(mongo, outbox, clock, updated=marks.add)
    stage_requests = StageRequestRepository(mongo, outbox, clock)
    chat = ChatRepository(mongo, outbox, clock)
    polls = PollRepository(mongo, outbox, clock)
    votes = VoteRepository(mongo, outbox)
    sign_ins = SignInRepository(mongo)
    codes = AuthCodeRepository(mongo)
    journal = JournalRepository(mongo)
    revocations = RevocationRepository(mongo)
    idempotency = IdempotencyKeys(mongo, clock)

    room_views = RoomViews(users, sessions)
    signer = PathSigner(settings.internal_secret.get_secret_value(), hls_links.PURPOSE, clock)
    streams = HlsLinks(settings.public_url, signer, clock)
    session_views = SessionViews(rooms, room_views, streams)
    library_service = LibraryService(libraries, organizations, rooms, clock)
    revocation_service = RevocationService(revocations, sign_ins, clock)
    account_service = AccountService(users, organizations, revocation_service, passwords, clock)
    room_service = RoomService(rooms, sessions, library_service, room_views, clock)
    preset_service = PresetService(presets, sessions, library_service, clock)
    session_service = SessionService(
        sessions, room_service, preset_service, library_service, ingest, session_views, limits, clock
    )
    admission = Admission(sessions, session_service, account_service, issuer, mint, clock)
    live = LiveService(
        sessions,
        session_service,
        presets,
        admission,
        ingest,
        livekit,
        mint,
        session_views,
        limits,
        _timeouts(settings),
        settings.livekit_url,
        clock,
    )

    app[IDEMPOTENCY] = idempotency
    app[ORGANIZATIONS] = OrganizationService(organizations, libraries, users, clock)
    app[LIBRARIES] = library_service
    app[ACCOUNTS] = account_service
    app[API_KEYS] = ApiKeyService(keys, users, revocation_service, Keyring(settings.keyring), issuer, clock)
    app[REVOKED] = revocation_service
    app[SIGN_IN] = SignInService(
        users,
        keys,
        sign_ins,
        codes,
        passwords,
        RefreshTokens(settings.refresh_secret.get_secret_value()),
        issuer,
        clock,
    )
    app[ROOMS] = room_service
    reminders = build_reminders(
        settings,
        mongo,
        outbox,
        clock,
        room_service=room_service,
        accounts=account_service,
        rooms=rooms,
        users=users,
    )
    app[REMINDERS] = reminders.service
    app[PRESETS] = preset_service
    app[SESSIONS] = session_service
    app[ADMISSION] = admission
    app[PARTICIPANTS] = ParticipantService(sessions, session_service, users, ParticipantViews(users), clock)
    app[MODERATION] = ModerationService(sessions, session_service, users, BanViews(users), clock)
    app[LIVE] = live
    app[HOST_MEDIA] = HostMediaService(sessions, session_service, clock)
    app[SHARING] = SharingService(
        session_service, app[SIGN_IN], PageUrls(settings.public_url), streams, clock
    )
    participation = Participation(session_service, users)
    file_signer = PathSigner(settings.internal_secret.get_secret_value(), chat_files.PURPOSE, clock)
    storage = Storage.from_url(settings.storage_url, settings.storage_options)
    files = ChatFiles(storage, file_signer, settings.public_url, settings.chat_file_limit_bytes, clock)
    app[CHAT] = ChatService(chat, files, participation, users, clock)
    app[FILE_MESSAGES] = FileMessages(app[CHAT], files, participation, clock)
    app[CHAT_EXPORT] = ChatExport(chat, session_service)
    app[POLLS] = PollService(polls, votes, participation, clock)
    app[CENTRIFUGO] = CentrifugoService(
        settings.centrifugo_secret.get_secret_value(), app[VERIFIER], participation
    )
    app[JOURNAL] = JournalService(journal)
    stage = build_stage(stage_requests, sessions, users, session_service, admission, livekit, clock)
    app[STAGE], app[ASKING], app[ANSWERING] = stage.service, stage.asking, stage.answering

    reactions = SessionReactions(sessions, presets, livekit, limits, clock)
    group = session_consumers.group(
        reactions, RoomReactions(rooms, sessions, libraries), live, app[CHAT], app[POLLS]
    )

    enforcer = Enforcer(sessions, livekit, marks)

    async def prepare() -> None:
        first = _first_administrator(settings)
        if first is not None:
            await account_service.create_first_administrator(first)

    async def own_lifetime(app: web.Application) -> AsyncIterator[None]:
        app[SUPERVISOR].spawn("timekeeper", keep_time(live))
        app[SUPERVISOR].spawn("enforcement", enforcer.run())
        app[SUPERVISOR].spawn("revocations", app[REVOCATIONS].follow(revocation_service))
        yield
        await ingest.close()

    app.cleanup_ctx.append(livekit_lifetime(livekit))
    app.cleanup_ctx.append(own_lifetime)
    app.cleanup_ctx.append(stage.lifetime)
    app.cleanup_ctx.append(
        service_lifetime(
            mongo=mongo,
            bus=bus,
            outbox=outbox,
            stores=[
                *reminders.stores,
                organizations,
                libraries,
                users,
                keys,
                rooms,
                presets,
                sessions,
                stage_requests,
                chat,
                polls,
                votes,
                sign_ins,
                codes,
                revocations,
                journal,
                idempotency,
            ],
            groups=[
                reminders.group,
                group,
                enforcement_consumers.group(enforcer),
                journal_consumers.group(app[JOURNAL]),
                notice_consumers.group(NoticeService(livekit, Audience(sessions, livekit), clock)),
                stage.group,
            ],
            prepare=prepare,
        )
    )
    app.cleanup_ctx.append(reminders.lifetime)
    return app


def _limits(settings: SessionSettings) -> Limits:
    return Limits(
        no_host_grace=timedelta(seconds=settings.no_host_grace_seconds),
        max_duration=timedelta(seconds=settings.max_duration_seconds),
        expire_after=timedelta(seconds=settings.expire_after_seconds),
    )


def _timeouts(settings: SessionSettings) -> RoomTimeouts:
    """Well beyond our grace: LiveKit closing a room is the exception."""
    seconds = settings.no_host_grace_seconds + 300
    return RoomTimeouts(empty=seconds, departure=seconds)


def _first_administrator(settings: SessionSettings) -> FirstAdministrator | None:
    password = settings.bootstrap_admin_password
    if not settings.bootstrap_admin_email or password is None:
        return None
    return FirstAdministrator(settings.bootstrap_admin_email, password.get_secret_value())
